"""Incidents that were left open: ask whether they are over, and resolve those that the runbook allows."""
