"""SendGrid, through its SDK, against a real socket."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.mail.mail import Mail
from incidents.vendors.mail.sendgrid import SendGridClient

KEY = "SG.very.secret"
MAIL = Mail(
    sender="Incident Team <incidents@x.example>",
    recipients=("a@y.example", "Bea <b@y.example>"),
    subject="[INCIDENT] X P0\r\n— down",
    text="Status: INVESTIGATING",
    html="<p>Status: INVESTIGATING</p>",
    key="inc-1/update/1",
    reply_to="support@x.example",
    headers={"Message-ID": "<inc-1.1@x.example>", "References": "<inc-1@x.example>\r\n <inc-1.0@x.example>"},
    categories=("incident", "P0"),
)


@pytest.fixture
def sendgrid(loopback: Any) -> SendGridClient:
    return SendGridClient(KEY, loopback.url, timeout=1)


def errors(message: str, field: str = "") -> dict[str, Any]:
    return {"errors": [{"message": message, "field": field or None, "help": None}]}


def test_send(sendgrid: SendGridClient, loopback: Any) -> None:
    loopback.answer(202, None, {"X-Message-Id": "m1"})
    assert sendgrid.send(MAIL) == "m1"
    asked = loopback.last
    assert (asked.method, asked.path) == ("POST", "/v3/mail/send")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.json == {
        "personalizations": [
            {"to": [{"email": "a@y.example"}]},
            {"to": [{"email": "b@y.example", "name": "Bea"}]},
        ],
        "from": {"email": "incidents@x.example", "name": "Incident Team"},
        "reply_to": {"email": "support@x.example"},
        "subject": "[INCIDENT] X P0 — down",
        "content": [
            {"type": "text/plain", "value": "Status: INVESTIGATING"},
            {"type": "text/html", "value": "<p>Status: INVESTIGATING</p>"},
        ],
        "headers": {"Message-ID": "<inc-1.1@x.example>", "References": "<inc-1@x.example> <inc-1.0@x.example>"},
        "categories": ["incident", "P0"],
        "custom_args": {"operation_key": "inc-1/update/1"},
    }


def test_a_bare_mail_has_no_empty_fields(sendgrid: SendGridClient, loopback: Any) -> None:
    loopback.answer(202, None, {"X-Message-Id": "m1"})
    sendgrid.send(Mail("a@x.example", ("b@y.example",), "S", "T", "k"))
    assert sorted(loopback.last.json) == ["content", "custom_args", "from", "personalizations", "subject"]


def test_nobody_gets_two_and_more_than_a_request_holds_are_refused(sendgrid: SendGridClient, loopback: Any) -> None:
    loopback.answer(202, None, {"X-Message-Id": "m1"})
    people = [f"p{n}@y.example" for n in range(1000)] + ["P0@y.example", "Zero <p0@y.example>"]
    assert sendgrid.send(Mail("a@x.example", tuple(people), "S", "T", "k")) == "m1"
    assert len(loopback.last.json["personalizations"]) == 1000
    assert all(len(one["to"]) == 1 for one in loopback.last.json["personalizations"])
    with pytest.raises(VendorRejected) as caught:
        sendgrid.send(Mail("a@x.example", (*people, "one@more.example"), "S", "T", "k"))
    assert caught.value.code == "too_many_recipients"
    assert len(loopback.asked) == 1, "we refuse it: a part that went out could not be told from the rest"


def test_no_recipients(sendgrid: SendGridClient, loopback: Any) -> None:
    with pytest.raises(VendorRejected) as caught:
        sendgrid.send(Mail("a@x.example", (), "S", "T", "k"))
    assert caught.value.code == "no_recipients"
    assert loopback.asked == []


@pytest.mark.parametrize(
    ("status", "kind", "maybe_done"),
    [
        (400, VendorRejected, False),
        (401, VendorUnauthorized, False),
        (403, VendorUnauthorized, False),
        (404, VendorNotFound, False),
        (413, VendorRejected, False),
        (418, VendorRejected, False),
        (429, VendorRateLimited, False),
        (500, VendorUnavailable, True),
        (503, VendorUnavailable, True),
    ],
)
def test_refusals(
    sendgrid: SendGridClient, loopback: Any, status: int, kind: type[VendorError], maybe_done: bool
) -> None:
    loopback.answer(status, errors(f"no, {KEY}", "from"))
    with pytest.raises(VendorError) as caught:
        sendgrid.send(MAIL)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.maybe_done) == (status, maybe_done)
    assert str(caught.value) == f"sendgrid mail.send: {status} from no, ***"
    assert len(loopback.asked) == 1


def test_an_error_hides_the_address_that_it_quotes(sendgrid: SendGridClient, loopback: Any) -> None:
    loopback.answer(400, errors("a@y.example is not a mailbox", "to"))
    with pytest.raises(VendorRejected) as caught:
        sendgrid.send(MAIL)
    assert str(caught.value) == "sendgrid mail.send: 400 to [address] is not a mailbox", "workflow history keeps it"


def test_rate_limit_tells_an_epoch(sendgrid: SendGridClient, loopback: Any) -> None:
    reset = str(int(time.time()) + 60)
    loopback.answer(429, errors("too many requests"), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    with pytest.raises(VendorRateLimited) as caught:
        sendgrid.send(MAIL)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=50) < caught.value.retry_after <= timedelta(seconds=60)


def test_a_page_that_answers_200_has_not_queued_it(sendgrid: SendGridClient, loopback: Any) -> None:
    loopback.answer(200, "<html>Please log in</html>")
    with pytest.raises(VendorUnavailable) as caught:
        sendgrid.send(MAIL)
    assert caught.value.code == "unreadable_answer"


@pytest.mark.parametrize("trouble", ["Hang", "Reset"])
def test_a_lost_reply_may_be_done(loopback: Any, trouble: str) -> None:
    loopback.fail(getattr(loopback, trouble)())
    with pytest.raises(VendorUnavailable) as caught:
        SendGridClient(KEY, loopback.url, timeout=0.2).send(MAIL)
    assert caught.value.maybe_done
    assert caught.value.code == ("timeout" if trouble == "Hang" else "connection"), "the SDK has no time-out of its own"
    assert len(loopback.asked) == 1


def test_a_refused_connection_has_sent_nothing() -> None:
    with pytest.raises(VendorUnavailable) as caught:
        SendGridClient(KEY, "http://127.0.0.1:1", timeout=0.5).send(MAIL)
    assert not caught.value.maybe_done


def test_the_key_is_not_logged(sendgrid: SendGridClient, loopback: Any, caplog: pytest.LogCaptureFixture) -> None:
    loopback.answer(202, None, {"X-Message-Id": "m1"})
    with caplog.at_level(logging.DEBUG):
        sendgrid.send(MAIL)
    assert KEY not in caplog.text


def test_custom_arguments_name_the_incident_and_the_customer(sendgrid: SendGridClient, loopback: Any) -> None:
    loopback.answer(202, None)
    customers = {"a@y.example": "ACME", "c@y.example": "Globex"}
    sendgrid.send(replace(MAIL, incident="incident-x", customers=customers))
    asked = loopback.last.json
    assert asked["custom_args"] == {"operation_key": MAIL.key, "incident": "incident-x"}
    assert [row.get("custom_args") for row in asked["personalizations"]] == [{"customer": "ACME"}, None]
