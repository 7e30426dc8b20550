"""What alerts or a command would do, computed by the same rules, before anything is done."""
