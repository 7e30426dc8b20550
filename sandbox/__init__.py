"""The vendors and a small product to break, on localhost: for the demo and the tests.

Everything here imitates somebody else's service as documented; nothing here knows what an incident is.
"""
