"""Drills: exercises that reach nobody but their participants, and end in a review."""
