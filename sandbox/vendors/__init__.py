"""Stand-ins of vendors and of the product."""
