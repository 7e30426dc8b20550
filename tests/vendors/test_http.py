"""The one place where status codes, broken connections and waiting times are judged."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.http import (
    VendorHttp,
    explain,
    one_line,
)
from incidents.vendors.waiting import retry_after

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def client(script: Any, **options: Any) -> VendorHttp:
    return VendorHttp("acme", "https://acme.example/api", timeout=1, transport=script.transport, **options)


def failure(script: Any, method: str = "POST", **options: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        client(script, **options).call("do_it", method, "/things")
    return caught.value


def test_an_answer_is_parsed_and_the_request_is_what_was_asked(script: Any) -> None:
    script.answer(200, {"id": 7})
    http = client(script, headers={"Authorization": "Bearer t"})
    assert http.fetch("get", "POST", "/things", lambda data: data["id"], json={"a": 1}, params={"q": "x y"}) == 7
    asked = script.last
    assert (asked.method, asked.path, asked.query, asked.json) == ("POST", "/api/things", {"q": ["x y"]}, {"a": 1})
    assert asked.headers["authorization"] == "Bearer t"
    assert asked.headers["user-agent"] == "incident-runbook"


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "maybe_done"),
    [
        (400, VendorRejected, False, False),
        (401, VendorUnauthorized, False, False),
        (403, VendorUnauthorized, False, False),
        (404, VendorNotFound, False, False),
        (408, VendorUnavailable, True, False),
        (409, VendorRejected, False, False),
        (410, VendorNotFound, False, False),
        (422, VendorRejected, False, False),
        (425, VendorUnavailable, True, False),
        (429, VendorRateLimited, True, False),
        (500, VendorUnavailable, True, True),
        (502, VendorUnavailable, True, True),
        (503, VendorUnavailable, True, True),
        (504, VendorUnavailable, True, True),
    ],
)
def test_each_status_has_its_class(
    script: Any, status: int, kind: type[VendorError], retryable: bool, maybe_done: bool
) -> None:
    script.answer(status, {"error": "no such luck"})
    error = failure(script)
    assert type(error) is kind
    assert (error.status, error.retryable, error.maybe_done) == (status, retryable, maybe_done)
    assert (error.vendor, error.operation) == ("acme", "do_it")
    assert str(error) == f"acme do_it: {status} no such luck"
    assert len(script.asked) == 1, "a client makes one attempt"


def test_a_failed_read_has_done_nothing(script: Any) -> None:
    assert not failure(script.answer(503, {"error": "x"}), "GET").maybe_done


@pytest.mark.parametrize(
    ("error", "code", "maybe_done"),
    [
        (httpx.ReadTimeout("slow"), "timeout", True),
        (httpx.WriteTimeout("slow"), "timeout", True),
        (httpx.ConnectTimeout("slow"), "timeout", False),
        (httpx.PoolTimeout("slow"), "timeout", False),
        (httpx.ConnectError("refused"), "connection", False),
        (httpx.ReadError("reset"), "connection", True),
        (httpx.RemoteProtocolError("server disconnected"), "connection", True),
    ],
)
def test_a_broken_connection_tells_whether_the_request_may_have_arrived(
    script: Any, error: Exception, code: str, maybe_done: bool
) -> None:
    told = failure(script.fail(error))
    assert type(told) is VendorUnavailable
    assert (told.code, told.maybe_done, told.status) == (code, maybe_done, None)


def test_a_broken_read_has_done_nothing(script: Any) -> None:
    assert not failure(script.fail(httpx.ReadTimeout("slow")), "GET").maybe_done


def test_real_time_out_reset_and_refused_connection(loopback: Any) -> None:
    loopback.fail(loopback.Hang()).fail(loopback.Reset())
    http = VendorHttp("acme", loopback.url, timeout=0.2)
    codes = []
    for _ in range(2):
        with pytest.raises(VendorUnavailable) as caught:
            http.call("do_it", "POST", "/things")
        codes.append((caught.value.code, caught.value.maybe_done))
    assert codes == [("timeout", True), ("connection", True)]
    with pytest.raises(VendorUnavailable) as caught:
        VendorHttp("acme", "http://127.0.0.1:1", timeout=0.2).call("do_it", "POST", "/things")
    assert (caught.value.code, caught.value.maybe_done) == ("connection", False)


def test_a_redirect_is_not_followed(script: Any) -> None:
    script.answer(302, "", {"Location": "https://elsewhere.example/login"})
    error = failure(script)
    assert type(error) is VendorUnauthorized
    assert error.code == "redirected"
    assert len(script.asked) == 1


def test_moved_for_good_is_a_refusal(script: Any) -> None:
    error = failure(script.answer(301, "", {"Location": "https://elsewhere.example"}))
    assert type(error) is VendorRejected
    assert error.code == "moved"


def test_a_filter_in_front_of_the_vendor_says_nothing_about_our_rights(script: Any) -> None:
    error = failure(script.answer(403, "<html><title>Blocked</title>...</html>"))
    assert type(error) is VendorRejected
    assert str(error) == "acme do_it: 403 a web page: Blocked"


@pytest.mark.parametrize("body", ["<html>Please log in</html>", "[1, 2", "", '{"other": 1}', "null", '"text"'])
def test_a_success_in_another_format_is_no_success(script: Any, body: str) -> None:
    script.answer(200, body)
    with pytest.raises(VendorUnavailable) as caught:
        client(script).fetch("create", "POST", "/things", lambda data: data["id"])
    assert (caught.value.code, caught.value.maybe_done) == ("unreadable_answer", True)
    with pytest.raises(VendorUnavailable) as caught:
        client(script).fetch("read", "GET", "/things", lambda data: data["id"])
    assert not caught.value.maybe_done


def test_secrets_never_show(script: Any) -> None:
    script.answer(400, {"error": "bad token s3cret and later-token"}).fail(httpx.ReadError("s3cret"))
    http = client(script, secrets=["s3cret"])
    http.hide("later-token")
    for _ in range(2):
        with pytest.raises(VendorError) as caught:
            http.call("do_it", "POST", "/things")
        assert "s3cret" not in str(caught.value)
        assert "later-token" not in str(caught.value)
        assert "***" in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_line_break_in_a_credential_does_not_show_it(loopback: Any) -> None:
    loopback.answer(200, {})
    http = VendorHttp("acme", loopback.url, timeout=1, headers={"Authorization": "Bearer s3\ncret"})
    with pytest.raises(VendorUnavailable) as caught:
        http.call("do_it", "POST", "/things")
    assert "cret" not in str(caught.value).replace("credential", "")
    assert (caught.value.code, caught.value.maybe_done) == ("invalid_request", False)


def test_a_login_in_the_url_is_used_and_never_logged(script: Any, caplog: pytest.LogCaptureFixture) -> None:
    script.answer(401, {"error": "no pa55word"})
    http = VendorHttp("acme", "https://me:pa55word@acme.example", timeout=1, transport=script.transport)
    with caplog.at_level(logging.DEBUG), pytest.raises(VendorUnauthorized) as caught:
        http.call("do_it", "GET", "/things")
    assert script.last.headers["authorization"].startswith("Basic ")
    assert "pa55word" not in caplog.text + str(caught.value)


def test_cookies_are_not_kept(script: Any) -> None:
    script.answer(200, {}, {"Set-Cookie": "jwt=abc; Path=/"})
    http = client(script)
    http.call("a", "GET", "/things")
    http.call("b", "GET", "/things")
    assert "cookie" not in script.last.headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "99999999999"}, 86400),
        ({"Retry-After": "Fri, 01 May 2026 12:01:00 GMT"}, 60),
        ({"Retry-After": "Fri, 01 May 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "2026-05-01T12:00:10Z"}, 10),
        ({"ratelimit-reset": "42"}, 42),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90), "X-RateLimit-Remaining": "0"}, 90),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90), "X-RateLimit-Remaining": "12"}, None),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90), "Retry-After": "3"}, 3),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_waiting_times(headers: dict[str, str], seconds: float | None) -> None:
    wait = retry_after(httpx.Headers(headers), NOW)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_rate_limited_waits_as_told_or_as_the_vendor_is_known_to_want(script: Any) -> None:
    script.answer(429, {"error": "x"}, {"Retry-After": "7"}).answer(429, {"error": "x"})
    minute = timedelta(minutes=1)
    assert failure(script, default_wait=minute).retry_after == timedelta(seconds=7)
    assert failure(script, default_wait=minute).retry_after == minute
    assert failure(script).retry_after is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"error": "name is taken"}', (True, "", "name is taken")),
        ('{"error": "token_expired"}', (True, "token_expired", "token_expired")),
        ('{"code": 124, "message": "Invalid access token."}', (True, "124", "Invalid access token.")),
        ('{"status": "error", "error": {"code": "bad", "message": "No."}}', (True, "bad", "No.")),
        ('{"status": "error", "errorType": "bad_data", "error": "parse"}', (True, "bad_data", "parse")),
        ('{"errors": [{"message": "no from", "field": "from"}]}', (True, "", "from no from")),
        ('{"message": "Bad", "errors": ["a", "b"]}', (True, "", "Bad; a; b")),
        ("[1]", (True, "", "[1]")),
        ("plain", (False, "", "plain")),
    ],
)
def test_error_bodies(body: str, told: tuple[bool, str, str]) -> None:
    assert explain(body) == told


def test_a_long_error_is_one_short_line() -> None:
    text = one_line("a\n  b\t" + "x" * 1000)
    assert text.startswith("a b xxx")
    assert len(text) == 300
