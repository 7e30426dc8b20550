"""The investigation brief and its charts."""
