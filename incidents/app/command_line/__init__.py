"""What every command line of this program shares: help, mistakes, errors."""
