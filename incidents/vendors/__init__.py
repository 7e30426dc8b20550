"""Vendor APIs, one module or folder each: HTTP, authentication, errors; nothing about incidents."""
