"""How fast a worker takes the calls that set chat channels up."""
