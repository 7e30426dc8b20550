"""Sending a probe: trouble is the measurement, and no secret is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from incidents.vendors.product.probe import BODY_LIMIT, ProbeClient

URL = "https://api.eu.example/ready"
SECRET = {"X-API-Key": "fs_srv_secret"}


@pytest.fixture
def client(script: Any) -> ProbeClient:
    return ProbeClient(timeout=1, transport=script.transport)


def test_the_request_is_sent_as_configured(client: ProbeClient, script: Any) -> None:
    script.answer(200, {"reason": "FALLTHROUGH"})
    answer = client.send("POST", URL, {**SECRET, "accept": "text/plain"}, {"flag_key": "f"})
    assert (answer.status, answer.body, answer.trouble) == (200, b'{"reason": "FALLTHROUGH"}', "")
    assert answer.elapsed_ms >= 0
    assert (script.last.method, script.last.path) == ("POST", "/ready")
    assert script.last.headers["x-api-key"] == "fs_srv_secret"
    assert script.last.headers["accept"] == "text/plain"
    assert script.last.headers["content-type"] == "application/json"
    assert script.last.headers["user-agent"] == "incident-runbook"
    assert script.last.json == {"flag_key": "f"}


def test_a_redirect_is_not_followed(client: ProbeClient, script: Any) -> None:
    script.answer(302, "", {"Location": "https://elsewhere.example/login"})
    assert client.send("GET", URL, SECRET).status == 302
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (httpx.ConnectError("refused"), "cannot connect to api.eu.example"),
        (httpx.ConnectTimeout("slow"), "did not answer within 1 s"),
        (httpx.ReadTimeout("slow"), "did not answer within 1 s"),
        (httpx.ReadError("reset"), "lost the connection to api.eu.example"),
        (httpx.RemoteProtocolError("garbage"), "lost the connection to api.eu.example"),
    ],
)
def test_connection_trouble_is_an_answer(client: ProbeClient, script: Any, error: Exception, trouble: str) -> None:
    script.fail(error)
    answer = client.send("GET", URL, {})
    assert (answer.status, answer.trouble, answer.unsent) == (None, trouble, False)


def test_real_trouble(loopback: Any) -> None:
    impatient = ProbeClient(timeout=0.2)

    def trouble(url: str) -> str:
        return impatient.send("GET", url, {}).trouble

    loopback.fail(loopback.Hang()).fail(loopback.Reset())
    assert trouble(loopback.url) == "did not answer within 0.2 s"
    assert trouble(loopback.url).startswith("lost the connection to 127.0.0.1:")
    assert trouble("http://127.0.0.1:1") == "cannot connect to 127.0.0.1:1"
    assert trouble(loopback.url.replace("http:", "https:")).endswith(loopback.url.removeprefix("http://"))


@pytest.mark.parametrize("url", ["nonsense", "http://[::1", "ftp://api.eu.example"])
def test_an_unusable_url_tells_nothing_of_the_endpoint(url: str) -> None:
    answer = ProbeClient(timeout=0.2).send("GET", url, {})
    assert (answer.trouble, answer.unsent) == ("cannot be sent: its URL is unusable", True)


@pytest.mark.parametrize("secret", ["fs_srv\nsecret", "fs_srv_sécret"])
def test_a_credential_that_cannot_be_sent_is_not_quoted(loopback: Any, secret: str) -> None:
    answer = ProbeClient(timeout=1).send("GET", loopback.url, {"X-API-Key": secret})
    assert answer.unsent
    assert answer.trouble == "cannot be sent (is there a line break or a special character in a credential?)"


def test_over_a_real_socket(loopback: Any) -> None:
    loopback.answer(200, {"status": "ok"})
    answer = ProbeClient(timeout=1).send("GET", loopback.url, {})
    assert (answer.status, answer.trouble) == (200, "")
    assert 0 < answer.elapsed_ms < 1000


def test_a_drip_of_an_answer_is_a_time_out(script: Any) -> None:
    moments = iter([0.0])
    client = ProbeClient(timeout=1, transport=script.transport, clock=lambda: next(moments, 5.0))
    script.answer(200, {"status": "ok"})
    answer = client.send("GET", URL, {})
    assert (answer.status, answer.trouble, answer.elapsed_ms) == (None, "did not answer within 1 s", 5000.0)


class Page(httpx.SyncByteStream):
    """A page that comes in chunks and counts those that were read."""

    def __init__(self, chunks: int, size: int) -> None:
        self.read, self._chunks, self._size = 0, chunks, size

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self._chunks):
            self.read += 1
            yield b"x" * self._size


def test_a_huge_page_is_not_read_to_its_end() -> None:
    page = Page(chunks=1000, size=BODY_LIMIT // 4)
    client = ProbeClient(timeout=10, transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=page)))
    assert len(client.send("GET", URL, {}).body) == BODY_LIMIT // 4 * 5, (
        "the chunk that goes over the limit is the last"
    )
    assert page.read == 5
