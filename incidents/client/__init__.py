"""Find an incident and send it commands."""
