"""Mail to more recipients than one request takes: what one request did, and which one follows it.

Only the activity knows how many recipients there are, so each result says where the next request goes on.
"""

from incidents.domain.activity_requests import ActivityRequest, SendMail
from incidents.domain.activity_results import ActivityResult, MailSent

MAILED_AT_ONCE = 1000
"""Recipients of one mail request, at most."""


def mail_sent(sent: int, unreached: tuple[str, ...], go_on_at: int | None = None) -> MailSent:
    """Return the result of a mail with its text for the timeline: how many got it, and which customers did not."""
    detail = f"sent to {sent} {'recipient' if sent == 1 else 'recipients'}"
    if unreached:
        detail += f"; {describe_unreached(unreached)}"
    return MailSent(detail=detail, sent=sent, unreached=unreached, go_on_at=go_on_at)


def describe_unreached(customers: tuple[str, ...]) -> str:
    """Return why these customers got no mail."""
    return f"could not reach {', '.join(customers)}: the worker's runbook does not list them"


def rest_of(asked: ActivityRequest, result: ActivityResult) -> ActivityRequest | None:
    """Return the request that follows, if the mail has more recipients; None if all have it."""
    if not isinstance(asked, SendMail) or not isinstance(result, MailSent) or result.go_on_at is None:
        return None
    return asked.replace(key=f"{asked.key}/{result.go_on_at}", first=result.go_on_at)


def combined(before: ActivityResult, last: ActivityResult) -> ActivityResult:
    """Return the result of a mail that went out in parts."""
    if not isinstance(before, MailSent) or not isinstance(last, MailSent):
        return last
    unreached = tuple(dict.fromkeys((*before.unreached, *last.unreached)))
    return mail_sent(before.sent + last.sent, unreached, last.go_on_at)
