"""The names of the alert sources whose payloads are understood, as `/alerts/<source>` and `--source` name them."""

import re
from enum import StrEnum

_NAME = re.compile(r"[a-z0-9_-]{0,40}")


class SourceName(StrEnum):
    """An alert source, in the order in which a payload without a name is compared with them."""

    GRAFANA = "grafana"
    SIGNOZ = "signoz"
    ALERTMANAGER = "alertmanager"
    DATADOG = "datadog"
    SENTRY = "sentry"
    PAGERDUTY = "pagerduty"
    CLOUDWATCH = "cloudwatch"
    CLOUDEVENTS = "cloudevents"
    JSON = "json"

    @classmethod
    def named(cls, name: str) -> "SourceName | None":
        """Return the source of that name; None for any other, such as a second Alertmanager's own name."""
        return next((source for source in cls if source == name.lower()), None)


def is_source_name(name: str) -> bool:
    """Tell whether a source may be called so: the spool names files by it. "": it is not known."""
    return _NAME.fullmatch(name) is not None
