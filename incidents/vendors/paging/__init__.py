"""Pagers: PagerDuty and ntfy."""
