"""Status pages: the adapters of `activities.ports.StatusPage` (docs/extending.md)."""
