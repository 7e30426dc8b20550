"""The runbook as durable processes. Deterministic: they wait, apply_command through `runbook`, and call activities."""
