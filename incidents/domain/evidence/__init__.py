"""What is preserved of an incident."""
