"""Vendor APIs, one module each: HTTP, authentication, errors; nothing about incidents."""
