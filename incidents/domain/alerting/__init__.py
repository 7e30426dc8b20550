"""Alerts, and which incident they belong to."""
