"""Mail by SendGrid: one thread for each incident, safe to show, each recipient alone."""

import re
from email.utils import parseaddr
from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import SendMail
from incidents.domain.core.status import Status
from incidents.domain.customers.config import CustomersSection
from incidents.domain.customers.directory import CustomerDirectory
from incidents.domain.mailing import combined, rest_of
from incidents.domain.recipients import CustomerNamed, ListedCustomers, staff
from incidents.domain.updates.mail_footer import EarlierUpdate, MailFooter
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform
from tests.vendors.mail.test_smtp_mail import Postman, postman, url

__all__ = ["postman", "url"]

MAIL = SendMail(
    key="run-7/update/1/email",
    to=staff(("a@example.com", "b@example.com")),
    subject="[INCIDENT] <b>",
    text="Status: INVESTIGATING\n\n<script>1</script>",
    thread="run-7",
    sequence=1,
)
FIRST = "<run-7@featuresignals.com>"


def mailbox(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return list(sandbox.state()["sendgrid"])


def test_mails_are_one_thread_and_nobody_sees_another(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    assert perform(activities.email.send_mail, MAIL).detail == "sent to 2 recipients"
    perform(activities.email.send_mail, MAIL.replace(key="run-7/update/2/email", sequence=2))
    rows = mailbox(sandbox)
    assert [row["to"] for row in rows] == [["a@example.com"], ["b@example.com"]] * 2
    assert not any(row["cc"] or row["bcc"] for row in rows)
    assert rows[0]["headers"] == {"Message-ID": FIRST, "Auto-Submitted": "auto-generated"}
    assert rows[-1]["headers"] == {
        "Message-ID": "<run-7.update.2.email@featuresignals.com>",
        "References": FIRST,
        "In-Reply-To": FIRST,
        "Auto-Submitted": "auto-generated",
    }
    assert rows[0]["from"] == "incidents@featuresignals.com"
    assert rows[0]["categories"] == ["incident"]
    assert rows[0]["custom_args"]["operation_key"] == MAIL.key


def test_html_is_escaped_and_the_plain_text_is_as_written(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.email.send_mail, MAIL)
    mail = mailbox(sandbox)[0]
    assert mail["text"] == MAIL.text
    assert mail["subject"] == MAIL.subject
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;1&lt;/script&gt;" in mail["html"]
    assert "<title>[INCIDENT] &lt;b&gt;</title>" in mail["html"]


def test_a_subject_cannot_smuggle_headers_in(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.email.send_mail, MAIL.replace(subject="One\r\nBcc: everybody@example.com"))
    assert mailbox(sandbox)[0]["subject"] == "One Bcc: everybody@example.com"


def test_one_address_gets_one_mail(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.email.send_mail, MAIL.replace(to=staff(("a@example.com", "A@example.com"))))
    assert operations(sandbox, "sendgrid") == ["mail.send"]


def test_a_lost_reply_is_sent_again_for_mail_cannot_be_looked_up(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    alone = MAIL.replace(to=staff(("a@example.com",)))
    sandbox.fault("sendgrid", "lost_reply")
    assert not failed(activities.email.send_mail, alone).non_retryable
    perform(activities.email.send_mail, alone, attempt=2)
    rows = mailbox(sandbox)
    assert len(rows) == 2, "at least once"
    assert rows[0]["headers"]["Message-ID"] == rows[1]["headers"]["Message-ID"], "a mailbox can tell that they are one"


def test_45_an_address_that_is_none_is_final(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    refused = failed(activities.email.send_mail, MAIL.replace(to=staff(("nobody",))))
    assert (refused.type, refused.non_retryable) == ("VendorRejected", True)
    assert mailbox(sandbox) == []


@pytest.mark.parametrize("sender", ["Team <team@example.org>", "team@example.org"])
def test_the_thread_is_in_the_senders_domain(sandbox: RunningSandbox, wired: Any, sender: str) -> None:
    activities = wired(**sandbox.environment(), EMAIL_FROM=sender, EMAIL_REPLY_TO="Desk <desk@example.org>")
    perform(activities.email.send_mail, MAIL)
    mail = mailbox(sandbox)[0]
    assert mail["headers"]["Message-ID"] == "<run-7@example.org>"
    assert mail["from"] == parseaddr(sender)[1]
    assert mail["reply_to"]["email"] == "desk@example.org"


ACME, GLOBEX = CustomerNamed(name="ACME"), CustomerNamed(name="Globex")
CUSTOMERS = CustomersSection(
    contacts={"ACME": "ops@acme.example"}, emails=("one@list.example", "Ops <OPS@acme.example>", "two@list.example")
)


@pytest.fixture
def informed(sandbox: RunningSandbox, wired: Any) -> ActivitySet:
    """Every activity of a worker whose runbook lists customers."""
    return wired(customers=CustomerDirectory(CUSTOMERS), **sandbox.environment())  # type: ignore[no-any-return]


def recipients(sandbox: RunningSandbox) -> list[str]:
    return [address for row in mailbox(sandbox) for address in row["to"]]


def test_101_customers_are_found_by_name_in_the_workers_runbook(informed: ActivitySet, sandbox: RunningSandbox) -> None:
    sent = perform(informed.email.send_mail, MAIL.replace(to=(CustomerNamed(name=" acme"), *MAIL.to)))
    assert recipients(sandbox) == ["ops@acme.example", "a@example.com", "b@example.com"]
    assert (sent.sent, sent.unreached, sent.go_on_at) == (3, (), None)
    assert "@" not in sent.model_dump_json(), "the result enters history"


def test_101_who_is_listed_and_named_gets_one_mail(informed: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(informed.email.send_mail, MAIL.replace(to=(ACME, ListedCustomers())))
    assert sorted(recipients(sandbox)) == ["one@list.example", "ops@acme.example", "two@list.example"]


def test_101_a_customer_whom_the_workers_runbook_does_not_list_keeps_the_mail_from_nobody_else(
    informed: ActivitySet, sandbox: RunningSandbox
) -> None:
    sent = perform(informed.email.send_mail, MAIL.replace(to=(GLOBEX, ACME)))
    assert recipients(sandbox) == ["ops@acme.example"]
    assert sent.detail == "sent to 1 recipient; could not reach Globex: the worker's runbook does not list them"
    alone = perform(informed.email.send_mail, MAIL.replace(to=(GLOBEX,)))
    assert alone.skipped == "could not reach Globex: the worker's runbook does not list them"


def test_101_a_worker_whose_runbook_lists_no_customers_says_so(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sent = perform(activities.email.send_mail, MAIL.replace(to=(*MAIL.to, ListedCustomers())))
    assert sent.unreached == ("the customers in customers.emails",)
    assert len(mailbox(sandbox)) == 2


def test_a_thousand_get_it_at_once_and_the_result_says_where_to_go_on(sandbox: RunningSandbox, wired: Any) -> None:
    many = CustomersSection(emails=tuple(f"c{n}@list.example" for n in range(1001)))
    email = wired(customers=CustomerDirectory(many), **sandbox.environment()).email
    mail = MAIL.replace(to=(*MAIL.to, ListedCustomers(), GLOBEX))
    first = perform(email.send_mail, mail)
    assert (first.sent, first.go_on_at) == (1000, 1000)
    rest = rest_of(mail, first)
    assert rest is not None
    assert rest.key == f"{MAIL.key}/1000"
    last = perform(email.send_mail, rest)
    assert (last.sent, last.go_on_at) == (3, None)
    assert len(set(recipients(sandbox))) == len(recipients(sandbox)) == 1003
    whole = combined(first, last)
    assert whole.detail == "sent to 1003 recipients; could not reach Globex: the worker's runbook does not list them"
    assert rest_of(mail, whole) is None


def test_what_is_off_says_so(idle: ActivitySet) -> None:
    assert perform(idle.email.send_mail, MAIL).skipped == "e-mail not configured (SENDGRID_API_KEY is not set)"


BELOW = MailFooter(
    link_label="Status page",
    link="https://status.example.com/incidents/7.html?a=1&b=2",
    recap_label="Earlier updates",
    recap=(EarlierUpdate(when="14:00 UTC", words="We <look> into it."), EarlierUpdate(when="13:00 UTC", words="Down.")),
)


def test_a_mail_ends_with_the_link_and_the_last_updates(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.email.send_mail, MAIL.replace(below=BELOW, preheader="It is <fixed>."))
    mail = mailbox(sandbox)[0]
    assert mail["text"] == MAIL.text + (
        "\nStatus page: https://status.example.com/incidents/7.html?a=1&b=2\n"
        "\nEarlier updates:\n14:00 UTC: We <look> into it.\n13:00 UTC: Down.\n"
    )
    assert '<a href="https://status.example.com/incidents/7.html?a=1&amp;b=2"' in mail["html"]
    assert "We &lt;look&gt; into it." in mail["html"]
    hidden = re.search(r'<div style="display:none[^>]*>(.*?)</div>', mail["html"])
    assert hidden is not None
    assert hidden[1].startswith("It is &lt;fixed&gt;.&zwnj;"), "nothing else is shown before it is opened"


def test_a_mail_without_a_preheader_shows_its_first_line(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.email.send_mail, MAIL)
    html = mailbox(sandbox)[0]["html"]
    assert re.search(r'<div style="display:none[^>]*>Status: INVESTIGATING&zwnj;', html)
    assert "<a " not in html
    assert "<h2" not in html


@pytest.mark.parametrize(
    ("status", "color"),
    [
        (Status.INVESTIGATING, "#b3261e"),
        (Status.MONITORING, "#b26a00"),
        (Status.RESOLVED, "#1a7f4b"),
        (Status.CANCELLED, "#1a7f4b"),
        (None, "#5b6672"),
    ],
)
def test_the_color_of_a_mail_is_the_incidents_status_whatever_its_text_says(
    activities: ActivitySet, sandbox: RunningSandbox, status: Status | None, color: str
) -> None:
    perform(activities.email.send_mail, MAIL.replace(text="They write: Status: RESOLVED", status=status))
    assert f"border-top:4px solid {color};" in mailbox(sandbox)[0]["html"]


def test_a_mail_server_gets_the_same_thread_as_sendgrid(
    sandbox: RunningSandbox, wired: Any, url: str, postman: Postman
) -> None:
    both = (MAIL, MAIL.replace(key="run-7/update/2/email", sequence=2))
    sender = "Team <team@example.org>"
    for activities in (
        wired(**sandbox.environment(), EMAIL_FROM=sender),
        wired(SMTP_URL=url, EMAIL_FROM=sender),
    ):
        for mail in both:
            perform(activities.email.send_mail, mail)
    names = ("Message-ID", "In-Reply-To", "References")
    by_sendgrid = [[row["headers"].get(name) for name in names] for row in mailbox(sandbox)]
    by_smtp = [[message[name] for name in names] for _, message in postman.envelopes]
    first = "<run-7@example.org>"
    assert by_sendgrid == by_smtp
    assert by_smtp == [[first, None, None]] * 2 + [["<run-7.update.2.email@example.org>", first, first]] * 2


def test_45_a_mail_names_its_incident_and_its_customer_for_bounces(
    informed: ActivitySet, sandbox: RunningSandbox
) -> None:
    mail = MAIL.replace(to=(*MAIL.to[:1], ListedCustomers(), CustomerNamed(name="acme")))
    perform(informed.email.send_mail, mail, workflow_id="incident-x", workflow_type="IncidentWorkflow")
    named = {row["to"][0]: row["custom_args"] for row in mailbox(sandbox)}
    ours = {"operation_key": MAIL.key, "incident": "incident-x"}
    assert named == {
        "a@example.com": ours,
        "one@list.example": ours | {"customer": "customers.emails"},
        "OPS@acme.example": ours | {"customer": "acme"},
        "two@list.example": ours | {"customer": "customers.emails"},
    }
    assert not any("@" in value for args in named.values() for value in args.values())


def test_a_mail_of_another_workflow_names_no_incident(informed: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(informed.email.send_mail, MAIL, workflow_id="postmortem-1", workflow_type="PostmortemWorkflow")
    assert mailbox(sandbox)[0]["custom_args"] == {"operation_key": MAIL.key}
