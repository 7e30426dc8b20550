"""The gateway as an API: the commands of the command line, by the same names, for whoever has a token."""
