"""The responders' command line, `incident`."""
