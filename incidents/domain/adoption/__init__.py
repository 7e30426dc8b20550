"""Another runbook for a running incident."""
