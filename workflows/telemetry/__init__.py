"""What workflows tell the outside of themselves."""
