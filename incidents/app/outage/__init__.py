"""Reports outages of what this program runs on to its operators, not by way of Temporal (behaviour 109)."""
