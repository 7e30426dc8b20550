"""Workflows that notify operators, or stand for what they were notified of."""
