"""What keeps workflows from standing still for ever, and finds those that do."""
