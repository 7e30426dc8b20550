"""What is learnt from an incident: the post-mortem, its action items, its review, and the figures of many incidents."""
