"""The web pages: incidents, post-mortems and the report, readable on a phone and without script."""
