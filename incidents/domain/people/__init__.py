"""People: one directory entry for each person who acts, owns an item or is paged."""
