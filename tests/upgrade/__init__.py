"""Incidents that the last release has begun, and this one finishes."""
