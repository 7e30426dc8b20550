"""GitHub: issues, workflow runs, files and pull requests."""
