"""Settings, connection, composition root, and the mains of worker and starter."""
