"""Temporal activities, by capability: synchronous, thin, one side effect each, idempotent."""
