"""The incident runbook: everything but its workflows and activities, under one name."""
