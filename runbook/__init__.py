"""The runbook as rules: pure functions over frozen models. No I/O, no clock, no Temporal, no vendor."""
