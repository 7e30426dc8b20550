"""Find an incident, and send it a command."""
