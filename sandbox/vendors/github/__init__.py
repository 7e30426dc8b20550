"""Stand-in of GitHub."""
