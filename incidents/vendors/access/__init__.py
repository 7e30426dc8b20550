"""Access of our credentials: what a harmless call shows, and vendors of which we know nothing else."""
