"""The incident's channel and its war room."""
