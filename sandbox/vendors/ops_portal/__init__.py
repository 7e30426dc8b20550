"""Stand-in of the Ops Portal."""
