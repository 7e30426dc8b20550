"""The post-mortem, to its last action item."""
