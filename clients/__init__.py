"""Vendor APIs: one module per vendor. HTTP, authentication, errors; nothing about incidents.

A client makes one attempt, with a time-out: repeating is Temporal's work. What goes wrong is a
`clients.errors.VendorError`.
"""
