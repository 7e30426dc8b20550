"""Text from outside and text for each target."""
