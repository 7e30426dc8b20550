"""Our own status site: the state and history of components, as published updates and maintenance windows give them."""
