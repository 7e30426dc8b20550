"""Pages as clients meet them: links that acknowledge one, and pages that this program sent itself."""
