"""Records and reports over many incidents."""
