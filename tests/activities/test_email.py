"""Mail by SendGrid: one thread for each incident, safe to show, each recipient alone."""

from email.utils import parseaddr
from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import SendMail
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

MAIL = SendMail(
    key="run-7/update/1/email",
    to=("a@example.com", "b@example.com"),
    subject="[INCIDENT] <b>",
    text="Status: INVESTIGATING\n\n<script>1</script>",
    thread="run-7",
    sequence=1,
)
FIRST = "<run-7@featuresignals.com>"


def mailbox(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return list(sandbox.state()["sendgrid"])


def test_mails_are_one_thread_and_nobody_sees_another(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    assert perform(hands.email.send_mail, MAIL).detail == "sent to 2 recipients"
    perform(hands.email.send_mail, MAIL.replace(key="run-7/update/2/email", sequence=2))
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


def test_html_is_escaped_and_the_plain_text_is_as_written(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(hands.email.send_mail, MAIL)
    mail = mailbox(sandbox)[0]
    assert mail["text"] == MAIL.text
    assert mail["subject"] == MAIL.subject
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;1&lt;/script&gt;" in mail["html"]
    assert "<title>[INCIDENT] &lt;b&gt;</title>" in mail["html"]


def test_a_subject_cannot_smuggle_headers_in(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(hands.email.send_mail, MAIL.replace(subject="One\r\nBcc: everybody@example.com"))
    assert mailbox(sandbox)[0]["subject"] == "One Bcc: everybody@example.com"


def test_one_address_gets_one_mail(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(hands.email.send_mail, MAIL.replace(to=("a@example.com", "A@example.com")))
    assert operations(sandbox, "sendgrid") == ["mail.send"]


def test_a_lost_reply_is_sent_again_for_mail_cannot_be_looked_up(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    alone = MAIL.replace(to=("a@example.com",))
    sandbox.fault("sendgrid", "lost_reply")
    assert not failed(hands.email.send_mail, alone).non_retryable
    perform(hands.email.send_mail, alone, attempt=2)
    rows = mailbox(sandbox)
    assert len(rows) == 2, "at least once"
    assert rows[0]["headers"]["Message-ID"] == rows[1]["headers"]["Message-ID"], "a mailbox can tell that they are one"


def test_45_an_address_that_is_none_is_final(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    refused = failed(hands.email.send_mail, MAIL.replace(to=("nobody",)))
    assert (refused.type, refused.non_retryable) == ("VendorRejected", True)
    assert mailbox(sandbox) == []


@pytest.mark.parametrize("sender", ["Team <team@example.org>", "team@example.org"])
def test_the_thread_is_in_the_senders_domain(sandbox: RunningSandbox, wired: Any, sender: str) -> None:
    hands = wired(**sandbox.environment(), EMAIL_FROM=sender, EMAIL_REPLY_TO="Desk <desk@example.org>")
    perform(hands.email.send_mail, MAIL)
    mail = mailbox(sandbox)[0]
    assert mail["headers"]["Message-ID"] == "<run-7@example.org>"
    assert mail["from"] == parseaddr(sender)[1]
    assert mail["reply_to"]["email"] == "desk@example.org"


def test_what_is_off_says_so(idle: ActivitySet) -> None:
    assert perform(idle.email.send_mail, MAIL).skipped == "e-mail not configured (SENDGRID_API_KEY is not set)"
