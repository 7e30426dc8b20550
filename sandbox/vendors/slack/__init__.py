"""Stand-in of Slack."""
