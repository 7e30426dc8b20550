"""Merging: one incident goes on in another, and can be separated again."""
