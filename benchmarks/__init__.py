"""Measured cost and speed, as ratios and counts of one run."""
