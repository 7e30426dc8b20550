"""Plans and differences on a terminal."""
