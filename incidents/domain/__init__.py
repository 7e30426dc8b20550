"""The runbook as rules. Pure: no I/O, no clock, no Temporal, no vendor's word."""
