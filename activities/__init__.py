"""The runbook's hands: one module per capability. Synchronous, thin, one side effect each, safe to repeat."""
