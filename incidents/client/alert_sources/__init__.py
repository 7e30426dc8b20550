"""Alert sources: one module reads the payloads of one source; the registry chooses it by path or by payload."""
