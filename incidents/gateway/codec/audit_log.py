"""Who read payloads of which workflows: lines of the gateway's log, without content."""

import logging
from collections.abc import Callable

from incidents.domain.core.text.untrusted import one_line

_EVERY = 60.0
"""Seconds for which the same is not logged again: a page of the Temporal UI sends a request for each event."""
_KEPT = 1000
"""Lines that are remembered."""
_log = logging.getLogger("gateway.codec")


class AuditLog:
    """Writes a line for each reader and workflow, at most once a minute. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._written = clock, dict[tuple[str, str, str], float]()

    def record(self, reader: str, what: str, workflows: list[str]) -> None:
        """Record what a reader did. `what`: a verb, such as `decoded`."""
        now = self._clock()
        for workflow in workflows:
            line = (reader, what, workflow)
            if now - self._written.get(line, -_EVERY) < _EVERY:
                continue
            if len(self._written) >= _KEPT:
                self._written.clear()
            self._written[line] = now
            named = one_line(workflow, 300) or "an unknown workflow"
            # A warning, because an audit record must not depend on the level of the log.
            _log.warning("%s %s payloads of %s", one_line(reader, 100), what, named)
