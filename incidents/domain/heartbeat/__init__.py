"""Heartbeats: signs of life that must come in time, and whose absence is an alert."""
