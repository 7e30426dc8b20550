"""The parts of the responders' command line: finding incidents, sending commands, showing what is."""
