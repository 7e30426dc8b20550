"""HTTP and Slack in."""
