"""The document: its sections, its Markdown, its timeline, and edits of it."""
