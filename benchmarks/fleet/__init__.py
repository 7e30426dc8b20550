"""Many incidents on worker processes of their own."""
