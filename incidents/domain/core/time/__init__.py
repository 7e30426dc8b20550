"""Durations, instants and the business calendar."""
