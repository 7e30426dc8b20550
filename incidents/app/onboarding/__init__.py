"""The first runbook of a company, and the environment that goes with it."""
