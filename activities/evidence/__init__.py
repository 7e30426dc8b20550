"""The evidence store and what it preserves."""
