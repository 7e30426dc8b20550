"""The model of runbook.yaml, and how it is loaded."""
