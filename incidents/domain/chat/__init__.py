"""The incident's channel, its summary and its line in the digest."""
