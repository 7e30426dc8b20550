"""What the evidence store gets from an incident: its evidence and its archive."""
