"""The first look at deployments, metrics and logs (runbook, step 7)."""
