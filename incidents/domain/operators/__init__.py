"""What the operators of this program are notified of."""
