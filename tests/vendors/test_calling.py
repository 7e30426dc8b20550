"""Every call of a client: in the time of its attempt, not while the vendor asks to wait, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from incidents.app.liveness.attempts import ServerClock
from incidents.vendors import pauses
from incidents.vendors.attempt import TOO_LATE, Attempt, boot_time
from incidents.vendors.call_results import CallResults
from incidents.vendors.errors import VendorError, VendorRateLimited, VendorUnavailable
from incidents.vendors.http import VendorHttp
from incidents.vendors.mail.mail import Mail
from incidents.vendors.mail.sendgrid import SendGridClient
from incidents.vendors.mail.smtp import SmtpClient
from incidents.vendors.slack.client import SlackClient


def client(script: Any, timeout: float = 5) -> VendorHttp:
    return VendorHttp("acme", "https://acme.example", timeout=timeout, transport=script.transport)


def attempt(seconds: float) -> Attempt:
    """One whose time is over in so many seconds."""
    return Attempt(until=boot_time() + seconds, repeatable=False)


def test_a_late_attempt_does_not_act_but_may_look(script: Any) -> None:
    script.answer(200, {})
    late = attempt(-20)
    with late.current():
        assert client(script).call("look", "GET", "/things").status_code == 200
        with pytest.raises(VendorUnavailable) as caught:
            client(script).call("do_it", "POST", "/things")
    assert (caught.value.code, caught.value.retryable, caught.value.maybe_done) == (TOO_LATE, True, False)
    assert [asked.method for asked in script.asked] == ["GET"], "nothing was sent"
    assert not late.may_have_acted


def test_no_client_of_an_sdk_acts_late(loopback: Any) -> None:
    mail = Mail(sender="us@acme.example", recipients=("a@acme.example",), subject="s", text="t", key="k")
    smtp = loopback.url.replace("http://", "smtp://")
    acts: tuple[Callable[[], str], ...] = (
        lambda: SlackClient("xoxb-1", loopback.url).post("C1", "text", key="k"),
        lambda: SendGridClient("SG.1", loopback.url).send(mail),
        lambda: SmtpClient(smtp).send(mail),
    )
    with attempt(-1).current():
        for act in acts:
            with pytest.raises(VendorUnavailable) as caught:
                act()
            assert caught.value.code == TOO_LATE
    assert not loopback.asked


def test_lateness_is_no_failure_of_the_vendor(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    results = CallResults()
    monkeypatch.setattr("incidents.vendors.call_results.CALLS", results)
    with attempt(-1).current(), pytest.raises(VendorUnavailable):
        client(script).call("do_it", "POST", "/things")
    assert not results.newest()


def test_a_call_takes_no_longer_than_the_attempt_has_left(script: Any) -> None:
    script.answer(200, {})
    http = client(script)
    with attempt(3).current():
        http.call("do_it", "POST", "/things")
    assert 0 < script.last.seconds < 3, "less than its own 5 seconds, so that this attempt tells of the time-out"
    http.call("do_it", "POST", "/things")
    assert script.last.seconds == 5, "outside of an attempt, its own"


@pytest.mark.parametrize(
    ("answer", "acted"),
    [
        (lambda script: script.answer(200, {}), True),
        (lambda script: script.answer(500, ""), True),
        (lambda script: script.fail(httpx.ReadTimeout("slow")), True),
        (lambda script: script.answer(422, {}), False),
        (lambda script: script.answer(429, {}), False),
        (lambda script: script.fail(httpx.ConnectError("refused")), False),
    ],
    ids=["done", "500", "no answer", "refused", "rate limit", "no connection"],
)
def test_an_attempt_remembers_whether_it_may_have_acted(script: Any, answer: Any, acted: bool) -> None:
    answer(script)
    running = attempt(30)
    with running.current():
        try:
            client(script).call("do_it", "POST", "/things")
        except VendorError:
            assert not running.may_have_acted or acted
    assert running.may_have_acted is acted


def test_what_was_done_before_is_not_forgotten_by_a_refusal(script: Any) -> None:
    script.answer(200, {}).answer(429, {})
    running, http = attempt(30), client(script)
    with running.current():
        http.call("post", "POST", "/things")
        with pytest.raises(VendorRateLimited):
            http.call("pin", "POST", "/things")
    assert running.may_have_acted


def test_22_one_refusal_pauses_the_operation_for_all(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(pauses, "boot_time", lambda: now)
    script.answer(429, {}, {"Retry-After": "30"}).answer(200, {})
    http = client(script)
    with pytest.raises(VendorRateLimited):
        http.call("post", "POST", "/things")
    for passed in (0, 10, 29):
        now = 1000.0 + passed
        with pytest.raises(VendorRateLimited) as caught:
            http.call("post", "POST", "/things")
        assert caught.value.retry_after == timedelta(seconds=30 - passed)
    assert len(script.asked) == 1, "the others did not ask"
    assert http.call("look", "GET", "/things").is_success, "another operation has a limit of its own"
    now = 1030.0
    assert http.call("post", "POST", "/things").is_success


@pytest.mark.parametrize(("headers", "pause"), [({"Retry-After": "86400"}, 60), ({}, 1)], ids=["a day", "unsaid"])
def test_22_a_pause_is_bounded(
    script: Any, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], pause: int
) -> None:
    now = 1000.0
    monkeypatch.setattr(pauses, "boot_time", lambda: now)
    script.answer(429, {}, headers).answer(200, {})
    http = client(script)
    with pytest.raises(VendorRateLimited):
        http.call("page", "POST", "/things")
    now += pause - 0.1
    with pytest.raises(VendorRateLimited):
        http.call("page", "POST", "/things")
    now += 0.2
    assert http.call("page", "POST", "/things").is_success


def test_the_servers_clock_is_seen_through_its_quickest_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that stood still for 40 seconds knows that the attempt which it now receives is old."""
    here = 500.0
    monkeypatch.setattr("incidents.app.liveness.attempts.boot_time", lambda: here)
    started, clock = datetime(2026, 1, 1, tzinfo=UTC), ServerClock()
    assert clock.began(started) == 500.0
    here, started = 510.3, started + timedelta(seconds=10)
    assert clock.began(started) == 510.0, "received 0.3 s after its start"
    here, started = 560.0, started + timedelta(seconds=10)
    assert clock.began(started) == 520.0, "received 40 s after its start"


def test_a_step_of_the_servers_clock_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    here = 500.0
    monkeypatch.setattr("incidents.app.liveness.attempts.boot_time", lambda: here)
    started, clock = datetime(2026, 1, 1, tzinfo=UTC), ServerClock()
    clock.began(started)
    started -= timedelta(hours=1)
    seen = [clock.began(started) for _ in range(40)]
    assert seen[0] < here, "the first ones look an hour late"
    assert seen[-1] == here, "not for ever: nobody would be paged"
