"""Workflows that decide which alerts arrive: heartbeats and maintenance windows."""
