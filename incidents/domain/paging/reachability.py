"""Whether anybody can be paged at all: what every process and every reader says when nobody can (behaviour 91)."""

from collections.abc import Collection

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.incident import Incident

_LONGEST_REASON = 200
"""Characters of the reason why a page was skipped."""


def warn_of_missing_pager(
    runbook: RunbookConfig, own_pagers: Collection[str], *, default_pager: bool, setting: str
) -> str:
    """Return one line with the severities that cannot page anyone and what to set; "" if all can.

    Args:
        runbook: the contacts of each severity, service and route.
        own_pagers: the contacts with a pager of their own.
        default_pager: there is a pager for all others.
        setting: the name of the setting that gives them one.
    """
    own = (*(s.on_call for s in runbook.services), *(route.on_call for route in runbook.intake.routes))
    on_call = dict.fromkeys((runbook.people.on_call, *(contact for contact in own if contact)))
    missing = [contact for contact in on_call if not default_pager and contact not in own_pagers]
    paging = [name for name, policy in runbook.severities.items() if policy.page]
    if not missing or not paging:
        return ""
    return _warning(", ".join(paging), f"no pager for {', '.join(missing)}. Set {setting} on the worker.")


def warn_of_unsent_page(incident: Incident) -> str:
    """Return the same line for one incident without a pager for its page; "" if it was sent or is not needed.

    The newest page to on-call decides: an earlier one that went out does not help who is needed now. That it was
    skipped says what is not set: only the worker knows which pagers there are.
    """
    paging = incident.paging
    page = next((call.key for call in reversed(paging.calls) if call.calling == paging.repage_count), "")
    skip = next((skip for skip in incident.ledger.skips if skip.key == page), None)
    if incident.over or skip is None:
        return ""
    reason = one_line(skip.reason, _LONGEST_REASON)
    return _warning(incident.highest_severity, f"{reason}. Call the on-call engineer.")


def _warning(severities: str, why: str) -> str:
    return f"NOBODY CAN BE PAGED for {severities}: {why}"
