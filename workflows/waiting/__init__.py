"""What a loop waits with: a timer that can be set anew, and tasks beside it."""
