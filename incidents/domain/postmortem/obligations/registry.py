"""Every kind of obligation of a post-mortem, and its agenda."""

from typing import Any

from incidents.domain.config.model import RunbookConfig
from incidents.domain.postmortem.obligations import channel, deadline, document, items, records, review
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation, PostmortemSpec
from incidents.domain.postmortem.postmortem import Postmortem

SPECS: tuple[PostmortemSpec[Any], ...] = (
    records.REPORT_FAULT,
    records.RECORD,
    records.RECORD_INCIDENT,
    items.OPEN_ISSUE,
    items.CLOSE_ISSUE,
    items.CHASE,
    items.WATCH,
    document.WRITE,
    document.ANNOUNCE,
    document.PROPOSE,
    document.READ,
    review.INVITE,
    review.REVIEW_REMINDER,
    review.NOT_REVIEWED,
    review.COMPLETE,
    deadline.REMIND,
    deadline.DIRECT_MESSAGE,
    deadline.MAIL,
    deadline.BREACH,
    channel.ARCHIVE,
)
_SPEC_OF = {spec.kind: spec for spec in SPECS}
_OWED = tuple(dict.fromkeys(spec.owed for spec in SPECS))


def spec_of(obligation: PostmortemObligation) -> PostmortemSpec[Any]:
    """Return the spec of an obligation's kind."""
    return _SPEC_OF[obligation.kind]


def postmortem_agenda(postmortem: Postmortem, runbook: RunbookConfig) -> list[PostmortemObligation]:
    """Return all open obligations, now or later, earliest first."""
    return _derived(postmortem, runbook, surviving=False)


def surviving_agenda(postmortem: Postmortem, runbook: RunbookConfig) -> list[PostmortemObligation]:
    """Return the obligations that remain when the agenda cannot be derived: operator notifications."""
    return _derived(postmortem, runbook, surviving=True)


def _derived(postmortem: Postmortem, runbook: RunbookConfig, *, surviving: bool) -> list[PostmortemObligation]:
    found = [
        _postponed(obligation, postmortem)
        for owed in _OWED
        if postmortem.stage in owed.stages and (owed.survives or not surviving)
        for obligation in owed.derive(postmortem, runbook)
        if not postmortem.ledger.settled(obligation.key)
    ]
    return sorted(found, key=lambda obligation: (obligation.due, obligation.key))


def _postponed(obligation: PostmortemObligation, postmortem: Postmortem) -> PostmortemObligation:
    """Return an obligation that failed before with the time of its next attempt."""
    postponed = postmortem.ledger.postponement(obligation.key)
    return obligation if postponed is None else obligation.replace(due=max(obligation.due, postponed.until))
