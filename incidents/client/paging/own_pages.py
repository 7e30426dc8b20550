"""Which incident of ours a PagerDuty incident is the page of, by its dedup key."""

import re

_OURS = re.compile(r"incident-[\x21-\x2e\x30-\x7e]{1,300}")
"""An incident's workflow id, which prefixes our dedup keys. Other keys belong to other services."""


def workflow_of(dedup_key: str) -> str:
    """Return the workflow id from a dedup key (the part before the first slash); "" if the key is not ours."""
    name = dedup_key.partition("/")[0]
    return name if _OURS.fullmatch(name) else ""
