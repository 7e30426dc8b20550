"""The log lines of the SDK's core, which are values of Rust, in plain words."""

import logging
import re
from typing import Any

from temporalio.runtime import LogForwardingConfig, LoggingConfig, TelemetryFilter

from incidents.domain.core.text.untrusted import one_line

CORE_LOGS = TelemetryFilter(core_level="WARN", other_level="ERROR")
"""What the SDK's core logs."""
_RETRIED = re.compile(r"gRPC call (\S+) retried (\d+) times")
_CAUSE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
"""The text within a `Status` of gRPC."""
_LONGEST = 300


def core_logging() -> LoggingConfig:
    """Return the configuration by which the core's log lines go to the logger `temporalio.core`, in plain words.

    On its own the core writes them to standard output, into the middle of a program's JSON.
    """
    logger = logging.getLogger("temporalio.core")
    if not any(isinstance(each, _PlainWords) for each in logger.filters):
        logger.addFilter(_PlainWords())
    forwarding = LogForwardingConfig(logger=logger, prepend_target_on_message=False, append_log_fields_to_message=False)
    return LoggingConfig(filter=CORE_LOGS, forwarding=forwarding)


class _PlainWords(logging.Filter):
    """Lets every record pass, and writes what it says for a person. The core's own fields stay in `temporal_log`."""

    def filter(self, record: logging.LogRecord) -> bool:
        core: Any = getattr(record, "temporal_log", None)
        if core is not None:
            record.msg, record.args = plain_words(core.message, core.fields), ()
        return True


def plain_words(message: str, fields: dict[str, Any]) -> str:
    """Return a log line of the core as a sentence with its cause."""
    error = str(fields.get("error", ""))
    cause = found[1] if (found := _CAUSE.search(error)) else error
    retried = _RETRIED.search(message)
    said = f"Temporal does not answer: {retried[1]} was tried {retried[2]} times" if retried else message
    return one_line(f"{said} ({cause})" if cause else said, _LONGEST)
