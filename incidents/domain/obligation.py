"""Duties: what an incident can owe, and one obligation of it with its time and its idempotency key."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.config.communication import Reach
from incidents.domain.core.base import Frozen


class Duty(StrEnum):
    """What is to be done. Among duties that are due at the same moment, the first of these goes first."""

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


ORDER = {duty: place for place, duty in enumerate(Duty)}


INNER_DUTIES = frozenset({Duty.UPDATE, Duty.STABILITY, Duty.TARGET, Duty.OFFER_LAPSES, Duty.NO_ANSWER, Duty.CLOSE})
"""Duties that need no hands: the incident fulfils them by changing its own state."""


class Source(StrEnum):
    """Where the investigation looks (runbook, step 7)."""

    DEPLOYMENTS = "deployments"
    METRICS = "metrics"
    LOGS = "logs"


class Obligation(Frozen):
    """One duty: what, by when, and the idempotency key by which it is done once.

    `due` never lies before `since`, the moment of its cause. `subject` names the channel, contact, cluster or source.
    """

    key: str
    duty: Duty
    due: AwareDatetime
    since: AwareDatetime
    says: str
    subject: str = ""
    sequence: int = 0
    by: Reach | None = None


WITHDRAWABLE = frozenset({Duty.PAGE, Duty.ESCALATE, Duty.ALARM, Duty.DELIVER})
"""Duties that are given up in mid-attempt when the state no longer asks for them: a page after the acknowledgement,
an update that a newer one superseded."""


HOUSEKEEPING = frozenset(
    {
        Duty.TOPIC,
        Duty.INVITE,
        Duty.SUMMARY,
        Duty.BOOKMARK,
        Duty.DIGEST,
        Duty.DIGEST_UPDATE,
        Duty.SHOW_ROLLBACK,
        Duty.NOTICE,
        Duty.ON_CALL,
        Duty.CHECK_ALERTS,
        Duty.RECORD,
    }
)
"""Duties that keep the channel in order: not what a responder looks for among the next ones."""


def at_once(duty: Duty, key: str, since: datetime, says: str, **more: str | int) -> Obligation:
    """Return a duty that is due as soon as its cause exists."""
    return Obligation.model_validate({"key": key, "duty": duty, "due": since, "since": since, "says": says, **more})
