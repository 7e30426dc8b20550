"""How each vendor's calls end, recorded where they are made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.vendors import call_results
from incidents.vendors.call_results import PAUSE, CallResult, CallResults, recorded
from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.http import VendorHttp
from incidents.vendors.mail.mail import Mail
from incidents.vendors.mail.sendgrid import SendGridClient
from incidents.vendors.mail.smtp import SmtpClient
from incidents.vendors.slack.client import SlackClient
from incidents.vendors.storage import FileStore

T0 = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
MAIL = Mail(sender="a@x.example", recipients=("b@x.example",), subject="s", text="t", key="k")


class Clock:
    def __init__(self) -> None:
        self.at = T0

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, span: timedelta) -> datetime:
        self.at += span
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of this process's results, of which there are none yet."""
    clock = Clock()
    monkeypatch.setattr(call_results, "CALLS", CallResults(clock))
    return clock


def result(vendor: str = "acme") -> CallResult | None:
    return call_results.CALLS.newest().get(vendor)


def failing(vendor: str) -> bool:
    found = result(vendor)
    assert found is not None, f"no call of {vendor} is recorded"
    return found.failing_since is not None


def fail(error: type[VendorError] = VendorUnavailable) -> None:
    with pytest.raises(error), recorded("acme", "call"):
        raise error("acme", "do_it", "sorry")


def test_109_a_series_of_failures_counts_from_its_first_one_until_an_answer(clock: Clock) -> None:
    fail()
    later = clock.pass_time(timedelta(minutes=50))
    fail(VendorRateLimited)
    assert result() == CallResult(T0, later)
    with recorded("acme", "call"):
        pass
    assert result() == CallResult(None, later)
    fail()
    assert result() == CallResult(later, later)


@pytest.mark.parametrize("rejection", [VendorRejected, VendorNotFound])
def test_109_a_vendor_that_rejects_a_request_answers(clock: Clock, rejection: type[VendorError]) -> None:
    fail()
    fail(rejection)
    assert not failing("acme")


def test_109_rejected_credentials_neither_begin_nor_end_an_outage(clock: Clock) -> None:
    fail(VendorUnauthorized)
    assert result() is None
    fail()
    clock.pass_time(timedelta(minutes=1))
    fail(VendorUnauthorized)
    assert result() == CallResult(T0, T0)


def test_109_after_a_long_pause_a_failure_is_the_first_of_a_new_series(clock: Clock) -> None:
    fail()
    clock.pass_time(PAUSE)
    fail()
    assert result() == CallResult(T0, clock.at)
    clock.pass_time(PAUSE + timedelta(seconds=1))
    fail()
    assert result() == CallResult(clock.at, clock.at)


def test_109_what_is_over_http_is_recorded(clock: Clock, script: Any) -> None:
    http = VendorHttp("acme", "https://acme.example", timeout=1, transport=script.transport)
    script.answer(503).answer(200, {"id": 1}).answer(200, "<html>log in</html>").answer(200)
    with pytest.raises(VendorUnavailable):
        http.call("do_it", "POST", "/")
    assert failing("acme")
    assert http.fetch("get", "GET", "/", lambda data: data["id"]) == 1
    assert not failing("acme")
    with pytest.raises(VendorUnavailable):  # an answer, but not the vendor's
        http.fetch("get", "GET", "/", lambda data: data["id"])
    assert failing("acme")
    http.call("do_it", "POST", "/")
    assert not failing("acme")


def test_109_slack_and_sendgrid_are_recorded(clock: Clock, loopback: Any) -> None:
    slack, sendgrid = SlackClient("xoxb-1", loopback.url, timeout=1), SendGridClient("SG.1", loopback.url, timeout=1)
    loopback.answer(503).answer(200, {"ok": True, "user_id": "U1"}).answer(503).answer(202)
    with pytest.raises(VendorUnavailable):
        slack.whoami()
    assert failing("slack")
    slack.whoami()
    assert not failing("slack")
    with pytest.raises(VendorUnavailable):
        sendgrid.send(MAIL)
    assert failing("sendgrid")
    sendgrid.send(MAIL)
    assert not failing("sendgrid")


def test_109_smtp_and_the_evidence_store_are_recorded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VendorUnavailable):
        SmtpClient("smtp://127.0.0.1:1", timeout=1).send(MAIL)
    assert failing("smtp")
    store = FileStore("memory://outage")
    store.write("a", b"1")
    assert not failing("evidence")

    def full(path: str, data: bytes) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store._fs, "pipe_file", full)
    with pytest.raises(VendorUnavailable):
        store.write("a", b"2")
    assert failing("evidence")
