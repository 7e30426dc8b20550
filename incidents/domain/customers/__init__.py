"""Whether customers confirm that service is restored."""
