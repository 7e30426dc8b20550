"""Issues as every tracker returns them, and a tracker without a vendor."""
