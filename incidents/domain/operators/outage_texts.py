"""What operators read of an outage: what happened, what it means, what to do next."""

from datetime import UTC, datetime
from typing import assert_never

from incidents.domain.core.base import Frozen
from incidents.domain.core.text.escaping import mail_header
from incidents.domain.core.text.public_text import InternalMessage
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.operators.outage import Notice, OutageKind


class _Texts(Frozen):
    """The texts of one kind of outage: what it means, what to do, and what its end means."""

    means: str
    steps: tuple[str, ...]
    over: str


_TEMPORAL = _Texts(
    means=(
        "New alerts are kept on disk, and on-call is paged for them directly. "
        "Open incidents wait: they send no pages and publish no updates. Nothing that was recorded is lost."
    ),
    steps=(
        "Check the Temporal server, its database and the network to it.",
        "Respond manually to open incidents: page, escalate and publish updates.",
        "Do not resend alerts: those kept on disk are sent once Temporal answers.",
    ),
    over="Alerts that were kept on disk are being sent. `incident stuck` lists what did not recover.",
)
_WORKERS = _Texts(
    means=(
        "Temporal keeps every alert and command, but nobody is paged and no update is published until a worker runs."
    ),
    steps=(
        "Start workers; if they run, check their logs, task queue, version and load: `incident doctor`.",
        "Respond manually meanwhile: page, escalate and publish updates.",
    ),
    over="Open incidents go on. `incident stuck` lists what did not recover.",
)
_VENDOR = _Texts(
    means=(
        "What goes there is retried for as long as `retry_for` in runbook.yaml allows, then recorded as failed. "
        "All else goes on."
    ),
    steps=(
        "Check its status page, and the network to it.",
        "`incident show NUMBER` lists what failed and what is retried.",
    ),
    over="What failed for good is not repeated: `incident show NUMBER` lists it.",
)


def _texts(kind: OutageKind) -> _Texts:
    match kind:
        case OutageKind.TEMPORAL:
            return _TEMPORAL
        case OutageKind.WORKERS:
            return _WORKERS
        case OutageKind.VENDOR:
            return _VENDOR
        case _:
            assert_never(kind)


def outage_title(notice: Notice) -> str:
    """Say in a few words what happened."""
    match notice.kind:
        case OutageKind.TEMPORAL:
            return "Temporal is reachable again" if notice.over else "Temporal is unreachable"
        case OutageKind.WORKERS:
            return "Workers are running again" if notice.over else "No worker is running"
        case OutageKind.VENDOR:
            name = notice.name[:1].upper() + notice.name[1:]
            return f"{name} answers again" if notice.over else f"{name} is not answering"
        case _:
            assert_never(notice.kind)


def what_happened(notice: Notice) -> str:
    """Say in one sentence what happened, and when (UTC)."""
    if notice.over:
        return f"{outage_title(notice)} since {_time(notice.until)}{_out_for(notice)}."
    since = _time(notice.since or notice.until)
    match notice.kind:
        case OutageKind.TEMPORAL:
            return f"Temporal has been unreachable since {since}."
        case OutageKind.WORKERS:
            return f"No worker has polled task queue {notice.subject} since {since}."
        case OutageKind.VENDOR:
            lasted = in_words(notice.until - (notice.since or notice.until))
            return f"Every call to {notice.name} has failed since {since}, for {lasted}."
        case _:
            assert_never(notice.kind)


def outage_line(notice: Notice) -> str:
    """Return the one line of the log."""
    texts = _texts(notice.kind)
    return f"{what_happened(notice)} {texts.over if notice.over else texts.means}"


def outage_message(notice: Notice) -> InternalMessage:
    """Return what operators read."""
    texts = _texts(notice.kind)
    if notice.over:
        lines = [what_happened(notice), "", texts.over]
    else:
        steps = [f"  {step}" for step in texts.steps]
        lines = [what_happened(notice), "", texts.means, "", "What to do:", *steps]
        lines += ["", "You will be notified once more, when it is over."]
    return InternalMessage(subject=mail_header(f"Operators: {outage_title(notice)}"), body="\n".join(lines) + "\n")


def _out_for(notice: Notice) -> str:
    return f", after {in_words(notice.until - notice.since)}" if notice.since else ""


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
