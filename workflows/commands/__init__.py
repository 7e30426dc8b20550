"""Commands as Temporal messages. Each union in `incidents/domain/apply_command.py` has its module here."""
