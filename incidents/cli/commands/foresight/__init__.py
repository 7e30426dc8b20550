"""Subcommands that look ahead: what the runbook will do, would have done, and what a change of it changes."""
