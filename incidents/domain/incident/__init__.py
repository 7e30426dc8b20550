"""The incident as one value, and how it opens, lives and ends."""
