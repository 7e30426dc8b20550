"""Temporal activities, one module per capability: synchronous, thin, one side effect each, idempotent."""
