"""Getting and keeping a responder: pages, escalation, targets."""
