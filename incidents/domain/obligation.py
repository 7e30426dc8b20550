"""Obligations: what an incident can owe, and one obligation of it with its time and its idempotency key."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.config.communication import Reach
from incidents.domain.core.base import Frozen
from incidents.domain.core.keys import Key


class ObligationKind(StrEnum):
    """What is to be done. Each kind has one `ObligationSpec`; `registry.py` says which goes first."""

    PAGE = "page"
    UPDATE_PAGE = "update_page"
    ON_CALL = "on_call"
    NUMBER = "number"
    ACKNOWLEDGE_PAGE = "acknowledge_page"
    RESOLVE_PAGE = "resolve_page"
    SILENCE = "silence"
    UNSILENCE = "unsilence"
    CHECK_ALERTS = "check_alerts"
    QUIET = "quiet"
    MAINTENANCE = "maintenance"
    CHECK_ACTIVITY = "listen"
    OPERATORS = "operators"
    REPORT_FAULT = "report_fault"
    CHANNEL = "channel"
    TOPIC = "topic"
    INVITE = "invite"
    SUMMARY = "summary"
    BOOKMARK = "bookmark"
    DIGEST = "digest"
    DIGEST_UPDATE = "digest_update"
    NOTICE = "notice"
    SETTLE_DECISION = "settle_decision"
    WAR_ROOM = "war_room"
    TICKET = "ticket"
    UPDATE = "update"
    REMIND = "remind"
    NUDGE = "nudge"
    UPDATE_OVERDUE = "update_overdue"
    REMIND_COMMANDER = "remind_commander"
    DELIVER = "deliver"
    REDACT_PAGE = "redact_page"
    ESCALATE = "escalate"
    TARGET = "target"
    INVESTIGATE = "investigate"
    CONFIRM_BLAST_RADIUS = "confirm_blast_radius"
    SEARCH_DEPLOYMENTS = "look_again"
    ROLLBACK = "rollback"
    SEND_VERDICT = "tell_rollback"
    SHOW_ROLLBACK = "show_rollback"
    OFFER_EXPIRES = "offer_expires"
    DECISION_PAGE = "alarm"
    ASK_CUSTOMER = "ask_customer"
    NO_ANSWER = "no_answer"
    STABILITY = "stability"
    MERGE = "merge"
    SURGE = "surge"
    SURGE_LEAVE = "surge_leave"
    LEFT_OPEN = "left_open"
    AUTO_RESOLVE = "auto_resolve"
    EVIDENCE = "evidence"
    RECORD = "record"
    DRILL_SCORE = "drill_score"
    DRILL_REVIEW = "drill_review"
    DRILL_REMINDER = "drill_reminder"
    POSTMORTEM = "postmortem"
    WITHDRAW_POSTMORTEM = "withdraw_postmortem"
    CLOSE = "close"
    ARCHIVE = "archive"


class Source(StrEnum):
    """Where the investigation looks (runbook, step 7)."""

    DEPLOYMENTS = "deployments"
    METRICS = "metrics"
    LOGS = "logs"


class Obligation(Frozen):
    """One obligation: what, by when, and the idempotency key by which it is done once.

    `due` never lies before `since`, the moment of its cause. `subject` names the channel, contact, cluster or source.
    `by` and `rung`: how an escalation reaches its contact, and for which rung of the ladder. `page`: the key of the
    page that is resolved, if it is not on-call's. `until`: work that goes on for a while has ended by then; it is
    overdue only after that.
    """

    key: Key
    kind: ObligationKind
    due: AwareDatetime
    since: AwareDatetime
    summary: str
    subject: str = ""
    sequence: int = 0
    by: Reach | None = None
    rung: str = ""
    page: str = ""
    until: AwareDatetime | None = None


def at_once(kind: ObligationKind, key: Key, since: datetime, summary: str, **more: str | int | datetime) -> Obligation:
    """Return an obligation that is due as soon as its cause exists."""
    return Obligation.model_validate(
        {"key": key, "kind": kind, "due": since, "since": since, "summary": summary, **more}
    )
