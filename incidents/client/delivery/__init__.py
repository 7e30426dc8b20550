"""Delivery of alerts and declared incidents to Temporal; on disk while it is unreachable."""
