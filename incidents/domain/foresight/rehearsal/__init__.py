"""Rehearsals: what a scenario adds to a plan, what came of it, and whether it is what was expected."""
