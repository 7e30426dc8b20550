"""`make demo` and `make play`: one incident with real programs, against stand-ins of all vendors."""
