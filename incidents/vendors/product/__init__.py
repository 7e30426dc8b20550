"""The product itself: probes from outside, its database, its audit of flag changes."""
