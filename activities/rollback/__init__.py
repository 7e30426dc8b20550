"""Rollbacks: which version, its deployment, and the health that proves it."""
