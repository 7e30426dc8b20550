"""SMTP, against a real mail server in a thread."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from incidents.vendors.attempt import TOO_LATE, Attempt, boot_time
from incidents.vendors.errors import VendorRejected, VendorUnauthorized, VendorUnavailable
from incidents.vendors.mail.mail import Accepted, Mail
from incidents.vendors.mail.smtp import SmtpClient

MAIL = Mail(
    sender="Incident Team <incidents@x.example>",
    recipients=("a@y.example", "Bea <b@y.example>", "A@y.example"),
    subject="[INCIDENT] X P0\r\n— down",
    text="Status: INVESTIGATING\n",
    html="<p>Status: INVESTIGATING</p>",
    key="inc-1/update/1",
    reply_to="support@x.example",
    headers={
        "Message-ID": "<inc-1.1@x.example>",
        "References": "<inc-1@x.example>",
        "Auto-Submitted": "auto-generated",
    },
)


class Postman:
    """Keeps what it is given; refuses whom it is told to."""

    def __init__(self) -> None:
        self.envelopes: list[tuple[list[str], EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self.after_data: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if answer := self.after_data.get(envelope.rcpt_tos[0]):
            return answer
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.envelopes.append((list(envelope.rcpt_tos), message))
        return "250 OK"


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def url(postman: Postman) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(postman, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"smtp://127.0.0.1:{port}"
    controller.stop()


def test_each_recipient_gets_a_message_of_their_own(url: str, postman: Postman) -> None:
    assert SmtpClient(url, timeout=2).send(MAIL) == "<inc-1.1@x.example>"
    assert [to for to, _ in postman.envelopes] == [["a@y.example"], ["b@y.example"]]
    for to, message in postman.envelopes:
        assert to[0] in message["To"]
        assert message["Subject"] == "[INCIDENT] X P0 — down"
        assert message["Message-ID"] == "<inc-1.1@x.example>"
        assert message["References"] == "<inc-1@x.example>"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Reply-To"] == "support@x.example"
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    others = [address for to, message in postman.envelopes for address in ("a@y", "b@y") if address not in to[0]]
    assert all(other not in str(message) for other, (_, message) in zip(others, postman.envelopes, strict=True))


def test_a_refused_address_holds_up_nobody(url: str, postman: Postman) -> None:
    postman.answers["a@y.example"] = "550 <a@y.example>: no such mailbox a@y.example, nor A.Smith@y.example"
    with pytest.raises(VendorRejected) as caught:
        SmtpClient(url, timeout=2).send(MAIL)
    assert str(caught.value) == (
        "smtp send: 1 of 2 mails rejected (550 <[address]>: no such mailbox [address], nor [address])"
    ), "the error is kept in workflow history"
    assert [to for to, _ in postman.envelopes] == [["b@y.example"]]


def test_a_busy_server_is_tried_again_later(url: str, postman: Postman) -> None:
    postman.answers["b@y.example"] = "451 b@y.example is over quota"
    with pytest.raises(VendorUnavailable) as caught:
        SmtpClient(url, timeout=2).send(MAIL)
    assert caught.value.retryable
    assert "b@y.example" not in str(caught.value)
    assert caught.value.maybe_done, "the first recipient has it already"


def test_who_has_to_wait_holds_up_nobody_and_a_repeat_reaches_only_them(url: str, postman: Postman) -> None:
    client, recorded = SmtpClient(url, timeout=2), list[tuple[str, ...]]()
    postman.answers["a@y.example"] = "451 greylisted"
    with pytest.raises(VendorUnavailable) as caught:
        client.send(replace(MAIL, accepted=Accepted((), recorded.append)))
    assert str(caught.value) == "smtp send: 1 of 2 mails deferred (451 greylisted)"
    assert [to for to, _ in postman.envelopes] == [["b@y.example"]]
    assert not any("@" in mark for marks in recorded for mark in marks)
    postman.answers.clear()
    client.send(replace(MAIL, accepted=Accepted(recorded[-1], recorded.append)))
    assert [to for to, _ in postman.envelopes] == [["b@y.example"], ["a@y.example"]]
    client.send(replace(MAIL, accepted=Accepted(recorded[-1])))
    assert len(postman.envelopes) == 2, "all have it"
    client.send(replace(MAIL, key="inc-1/update/2", accepted=Accepted(recorded[-1])))
    assert len(postman.envelopes) == 4, "it is another mail"


def test_an_attempt_whose_time_ends_sends_no_more_and_the_next_one_goes_on(
    url: str, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, accepted = Attempt(boot_time() + 60, repeatable=False), Accepted()
    monkeypatch.setattr(accepted, "_record", lambda marks: setattr(attempt, "until", boot_time()))
    mail = replace(MAIL, accepted=accepted)
    with attempt.current(), pytest.raises(VendorUnavailable) as caught:
        SmtpClient(url).send(mail)
    assert caught.value.code == TOO_LATE
    assert [people for people, _ in postman.envelopes] == [["a@y.example"]]
    SmtpClient(url).send(mail)
    assert [people for people, _ in postman.envelopes] == [["a@y.example"], ["b@y.example"]]


def test_a_text_that_the_server_rejects_for_one_goes_to_the_others(url: str, postman: Postman) -> None:
    postman.after_data["a@y.example"] = "552 a@y.example: mailbox full"
    with pytest.raises(VendorRejected) as caught:
        SmtpClient(url, timeout=2).send(MAIL)
    assert str(caught.value) == "smtp send: 1 of 2 mails rejected (552 [address]: mailbox full)"
    assert [to for to, _ in postman.envelopes] == [["b@y.example"]]


def test_deferred_and_rejected_mails_are_both_named_and_tried_again(url: str, postman: Postman) -> None:
    postman.answers |= {"a@y.example": "550 unknown", "b@y.example": "451 busy"}
    with pytest.raises(VendorUnavailable) as caught:
        SmtpClient(url, timeout=2).send(MAIL)
    assert str(caught.value) == "smtp send: 1 of 2 mails deferred (451 busy), 1 of 2 mails rejected (550 unknown)"
    assert not caught.value.maybe_done


def test_a_password_is_not_sent_in_the_clear(url: str, postman: Postman) -> None:
    with pytest.raises(VendorUnauthorized) as caught:
        SmtpClient(url.replace("//", "//me:secret@"), timeout=2).send(MAIL)
    assert "no TLS" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert postman.envelopes == []


def test_without_a_server_it_is_unavailable() -> None:
    with pytest.raises(VendorUnavailable) as caught:
        SmtpClient("smtp://127.0.0.1:1", timeout=0.5).send(MAIL)
    assert not caught.value.maybe_done


def test_a_mail_to_nobody_is_refused(url: str) -> None:
    with pytest.raises(VendorRejected):
        SmtpClient(url).send(Mail("a@x.example", (), "S", "T", "k"))


def test_access_is_checked_without_a_mail(url: str, postman: Postman) -> None:
    assert SmtpClient(url).check_access().missing == ()
    assert postman.envelopes == []
    with pytest.raises(VendorUnavailable, match="refused"):
        SmtpClient("smtp://127.0.0.1:1").check_access()
    with pytest.raises(VendorUnauthorized, match="no TLS"):
        SmtpClient(url.replace("smtp://", "smtp://user:pw@")).check_access()
