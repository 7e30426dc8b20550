"""Read what looking ahead compares and plays: other runbooks, and scenarios."""
