"""Rolling a bad deployment back, and proving the result healthy."""
