"""Reads of a run that cost it little: what a watcher asks again and again."""
