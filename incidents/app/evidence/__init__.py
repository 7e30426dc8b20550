"""Reads from the evidence store: older entries of timelines, and the records of incidents that are closed."""
