"""`incident doctor`: what each reading means for incidents, and what to do about it."""
