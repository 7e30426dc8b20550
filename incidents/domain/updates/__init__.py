"""Status updates on their cadence."""
