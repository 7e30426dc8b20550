"""The runbook as durable processes. Deterministic: they wait, apply `incidents.domain`, and call activities."""
