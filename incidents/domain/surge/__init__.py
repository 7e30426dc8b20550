"""A surge: many incidents open within a minute, and one of them informs the customers for the others."""
