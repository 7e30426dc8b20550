"""Monitoring: what fires alerts, and what metrics and logs say."""
