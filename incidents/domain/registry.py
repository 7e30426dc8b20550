"""The registry: every kind of obligation, in the order in which those due at the same moment are fulfilled."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, assert_never

from incidents.domain.alerting import obligations as alerting
from incidents.domain.chat import obligations as chat
from incidents.domain.config.model import RunbookConfig
from incidents.domain.customers import obligations as customers
from incidents.domain.drill import obligations as drill
from incidents.domain.evidence import obligations as evidence
from incidents.domain.incident import obligations as incident
from incidents.domain.investigation import obligations as investigation
from incidents.domain.left_open import obligations as left_open
from incidents.domain.merging import obligations as merging
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import ObligationSpec, RetryLimit
from incidents.domain.operators import obligations as operators
from incidents.domain.paging import obligations as paging
from incidents.domain.postmortem import incident_obligations as postmortem
from incidents.domain.reporting import obligations as reporting
from incidents.domain.rollback import obligations as rollback
from incidents.domain.surge import obligations as surge
from incidents.domain.updates import obligations as updates

SPECS: tuple[ObligationSpec[Any], ...] = (
    paging.PAGE,
    paging.ON_CALL,
    incident.NUMBER,
    paging.UPDATE_PAGE,
    paging.ACKNOWLEDGE_PAGE,
    paging.RESOLVE_PAGE,
    alerting.SILENCE,
    alerting.UNSILENCE,
    alerting.CHECK_ALERTS,
    alerting.QUIET,
    alerting.MAINTENANCE,
    paging.CHECK_ACTIVITY,
    operators.OPERATORS,
    operators.REPORT_FAULT,
    chat.CHANNEL,
    chat.TOPIC,
    chat.INVITE,
    chat.SUMMARY,
    chat.BOOKMARK,
    chat.DIGEST,
    chat.DIGEST_UPDATE,
    chat.NOTICE,
    chat.SETTLE_DECISION,
    chat.WAR_ROOM,
    updates.TICKET,
    updates.UPDATE,
    updates.REMIND,
    updates.NUDGE,
    updates.UPDATE_OVERDUE,
    paging.REMIND_COMMANDER,
    updates.DELIVER,
    updates.REDACT_PAGE,
    paging.ESCALATE,
    paging.TARGET,
    investigation.INVESTIGATE,
    investigation.CONFIRM_BLAST_RADIUS,
    rollback.SEARCH_DEPLOYMENTS,
    rollback.ROLLBACK,
    rollback.SEND_VERDICT,
    chat.SHOW_ROLLBACK,
    rollback.OFFER_EXPIRES,
    rollback.DECISION_PAGE,
    customers.ASK_CUSTOMER,
    customers.NO_ANSWER,
    incident.STABILITY,
    merging.MERGE,
    surge.SURGE_LEAVE,
    surge.SURGE,
    left_open.LEFT_OPEN,
    left_open.AUTO_RESOLVE,
    evidence.EVIDENCE,
    reporting.RECORD,
    drill.DRILL_SCORE,
    drill.DRILL_REVIEW,
    drill.DRILL_REMINDER,
    postmortem.POSTMORTEM,
    postmortem.WITHDRAW_POSTMORTEM,
    incident.CLOSE,
    chat.ARCHIVE,
)

_SPEC_OF = {spec.kind: spec for spec in SPECS}
_ORDER = {spec.kind: place for place, spec in enumerate(SPECS)}

OWED = tuple(dict.fromkeys(owed for spec in SPECS for owed in spec.owed))
"""Every function that derives obligations, once."""
OWED_AFTER = tuple(spec.owed_after for spec in SPECS if spec.owed_after is not None)
"""Those that derive obligations from what else is owed, each from what all before it yielded, too."""


def spec_of(obligation: Obligation) -> ObligationSpec[Any]:
    """Return the spec of an obligation's kind."""
    return _SPEC_OF[obligation.kind]


def in_order(obligations: list[Obligation]) -> list[Obligation]:
    """Return obligations as they are to be fulfilled: the earliest first, at the same moment as `SPECS` has them."""
    return sorted(obligations, key=lambda obligation: (obligation.due, _ORDER[obligation.kind], obligation.key))


def retry_for(obligation: Obligation, runbook: RunbookConfig) -> timedelta:
    """Return how long a failing obligation is retried. The number needs no vendor and is never given up."""
    match spec_of(obligation).retry_for:
        case RetryLimit.PAGE:
            return runbook.retry_for.page
        case RetryLimit.REACH:
            return runbook.retry_for.reach
        case RetryLimit.PUBLISH:
            return runbook.retry_for.publish
        case RetryLimit.OTHERS:
            return runbook.retry_for.others
        case RetryLimit.FOREVER:
            return timedelta(days=3650)
        case limit:
            assert_never(limit)


def up_next(obligations: Sequence[Obligation]) -> list[Obligation]:
    """Return the obligations that a responder looks for among the next ones: all but housekeeping."""
    return [obligation for obligation in obligations if not spec_of(obligation).housekeeping]
