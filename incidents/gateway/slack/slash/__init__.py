"""The slash command: what is typed, the commands that it names, and the answers."""
