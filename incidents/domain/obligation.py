"""Obligations: what an incident can owe, and one obligation of it with its time and its idempotency key."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.config.communication import Reach
from incidents.domain.core.base import Frozen


class ObligationKind(StrEnum):
    """What is to be done. Each kind has one `ObligationSpec`; `registry.py` says which goes first."""

    PAGE = "page"
    ON_CALL = "on_call"
    NUMBER = "number"
    ACKNOWLEDGE_PAGE = "acknowledge_page"
    RESOLVE_PAGE = "resolve_page"
    SILENCE = "silence"
    UNSILENCE = "unsilence"
    CHECK_ALERTS = "check_alerts"
    LISTEN = "listen"
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
    WAR_ROOM = "war_room"
    TICKET = "ticket"
    UPDATE = "update"
    REMIND = "remind"
    NUDGE = "nudge"
    REMIND_COMMANDER = "remind_commander"
    DELIVER = "deliver"
    ESCALATE = "escalate"
    TARGET = "target"
    INVESTIGATE = "investigate"
    LOOK_AGAIN = "look_again"
    ROLLBACK = "rollback"
    TELL_ROLLBACK = "tell_rollback"
    SHOW_ROLLBACK = "show_rollback"
    OFFER_LAPSES = "offer_lapses"
    ALARM = "alarm"
    ASK_CUSTOMER = "ask_customer"
    NO_ANSWER = "no_answer"
    STABILITY = "stability"
    EVIDENCE = "evidence"
    RECORD = "record"
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
    """

    key: str
    kind: ObligationKind
    due: AwareDatetime
    since: AwareDatetime
    says: str
    subject: str = ""
    sequence: int = 0
    by: Reach | None = None


def at_once(kind: ObligationKind, key: str, since: datetime, says: str, **more: str | int) -> Obligation:
    """Return an obligation that is due as soon as its cause exists."""
    return Obligation.model_validate({"key": key, "kind": kind, "due": since, "since": since, "says": says, **more})
