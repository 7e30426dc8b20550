"""Encryption of payloads: what Temporal stores of incidents is readable only with the keys of our own processes."""
