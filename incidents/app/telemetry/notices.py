"""What worker and gateway say when they start: plain lines for a person, log entries where the log is JSON."""

import logging
import sys


class Notices:
    """Says things in the way that the log's format asks for. `name`: the logger's."""

    def __init__(self, name: str, log_format: str) -> None:
        self._log = logging.getLogger(name)
        self.as_entries = log_format == "json"

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Say one line; an empty one says nothing."""
        if not text:
            return
        if self.as_entries:
            self._log.log(level, text)
        else:
            print(text, file=sys.stderr, flush=True)
