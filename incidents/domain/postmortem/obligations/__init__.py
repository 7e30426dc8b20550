"""Obligations of a post-mortem, by rule; `registry` collects their specs."""
