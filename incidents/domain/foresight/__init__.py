"""What a runbook will do, before it happens: incidents run forward in virtual time, and the difference of two runs."""
