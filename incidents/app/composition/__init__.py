"""The composition root: vendors' clients and activities, built from the settings."""
