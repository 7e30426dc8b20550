"""What `incident init` asks, and what an answer must look like."""

from typing import NamedTuple

from incidents.app.onboarding.answers import Answers, Vendors
from incidents.domain.config.communication import Channel
from incidents.domain.rollback.config import RollbackPolicy


class Question(NamedTuple):
    """One question. `expected`: what an answer must be, in words. `option`: what gives it on the command line.

    `is_list`: several answers, with commas; the option is repeatable.
    """

    text: str
    expected: str
    option: str
    is_list: bool = False


def _one_of(names: type[Channel] | type[Vendors] | type[RollbackPolicy]) -> str:
    *others, last = (name.value for name in names)
    return f"{', '.join(others)} or {last}"


QUESTIONS: dict[str, Question] = {
    "company": Question(
        "Company or product, as customers know it", "one line of at most 80 characters, such as Acme Shop", "--company"
    ),
    "services": Question(
        "Services, as the alert label `service` names them, with commas",
        "different names of letters, digits, - and _, such as checkout,catalog",
        "--service",
        is_list=True,
    ),
    "regions": Question(
        "Regions as name=URL of the API, with commas (none: no probes, no rollbacks)",
        "different name=URL, such as eu=https://api.eu.example.com",
        "--region",
        is_list=True,
    ),
    "on_call": Question("E-mail of the engineer on call", "an e-mail address, such as oncall@example.com", "--on-call"),
    "backup": Question(
        "E-mail of the second on call (may be empty)", "an e-mail address, such as second@example.com", "--backup"
    ),
    "manager": Question(
        "E-mail of the engineering manager (may be empty)",
        "an e-mail address, such as manager@example.com",
        "--manager",
    ),
    "vendors": Question(
        "Accounts: hosted (PagerDuty, Slack, Statuspage ...) or none (ntfy, SMTP, static page, Markdown tickets)",
        _one_of(Vendors),
        "--vendors",
    ),
    "channels": Question(
        "Channels of updates: status_page, email, slack, webhook, issue_tracker",
        f"some of {_one_of(Channel)}, with commas",
        "--channel",
        is_list=True,
    ),
    "health": Question("Path of the health check of a region", "a path, such as /health", "--health"),
    "rollback": Question(
        "Rollback of a bad release: automatic, approve, two_people or never", _one_of(RollbackPolicy), "--rollback"
    ),
    "plans": Question(
        "Uptime that you sell, as plan=percent, with commas (may be empty)",
        "different plan=percent, such as Pro=99.9,Enterprise=99.99",
        "--plan",
        is_list=True,
    ),
    "time_zone": Question("Time zone of the office", "a time zone, such as Europe/Berlin", "--time-zone"),
    "repository": Question(
        "GitHub repository, owner/name, for rollbacks, tickets and post-mortems (may be empty)",
        "owner/name, such as acme/shop",
        "--repository",
    ),
}
"""In the order in which they are asked, by the field of `Answers`."""
NEEDED = tuple(name for name, field in Answers.model_fields.items() if field.is_required())
"""What has no default."""
