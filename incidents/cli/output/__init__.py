"""What the command line prints: tables, lines, and text that controls no terminal."""
