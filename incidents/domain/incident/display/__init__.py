"""An incident as responders read it: summary, Current Details, severity guide."""
