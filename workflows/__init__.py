"""The runbook as durable processes. Deterministic: they wait, decide through `runbook`, and call activities."""
