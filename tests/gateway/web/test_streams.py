"""Server-sent events: a page learns that it has changed, its viewers share the reads, and nothing keeps the gateway."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from incidents.app.settings import Settings
from incidents.domain.incident.commands import AddNote
from incidents.gateway.app import Gateway
from incidents.gateway.web.streams import Pulse, Streams
from tests.gateway.web.browsing import browsing, reads
from tests.support.environment import World
from tests.support.reads import SeenReads
from tests.support.servers.asgi import serving


def request(seen: str = "", last: str = "") -> Request:
    headers = [(b"last-event-id", last.encode())] if last else []
    query = f"version={seen}".encode()
    return Request({"type": "http", "method": "GET", "path": "/events", "query_string": query, "headers": headers})


def events_of(streams: Streams, asked: Request, *pulses: Pulse) -> AsyncIterator[str]:
    left = list(pulses)

    async def look() -> Pulse:
        return left.pop(0) if len(left) > 1 else left[0]

    answer = streams.answer(asked, look)
    assert isinstance(answer, StreamingResponse)
    return aiter(answer.body_iterator)  # type: ignore[arg-type]  # ours yields text


async def test_an_event_says_that_the_page_is_older_than_what_there_is() -> None:
    one, two = Pulse("1", 0.01), Pulse("2", 0.01)
    events = events_of(Streams(), request("1"), one, one, two)
    assert await anext(events) == ": open\n\n"
    assert await anext(events) == "id: 2\nevent: changed\ndata: 2\n\n"
    late = events_of(Streams(), request("1", last="2"), two, Pulse("2", 0.01, over=True))
    assert [event async for event in late] == [": open\n\n", "event: over\ndata:\n\n"], (
        "a reconnection knows what it saw"
    )


async def test_when_the_gateway_stops_every_stream_ends() -> None:
    streams = Streams()
    events = events_of(streams, request("1"), Pulse("1", 3600))
    assert await anext(events) == ": open\n\n"
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    streams.stop()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_stream_of_an_incident_that_no_worker_tells_is_answered(
    empty_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.client.asking.TIMEOUT", timedelta(seconds=1))
    async with empty_world.worker():
        await empty_world.open()
    async with browsing(empty_world, settings) as http:
        assert (await http.get(f"/incidents/{empty_world.handle.id}/events")).status_code == 503


async def changed(http: httpx.AsyncClient, version: str) -> None:
    """Wait for news of a page of that version, as a viewer of it does."""
    async with http.stream("GET", "/incidents/1/events", params={"version": version}) as stream:
        async for line in stream.aiter_lines():
            if line == "event: changed":
                return
    raise AssertionError("the stream ended without news")


async def test_viewers_of_an_incident_share_its_reads(live_world: World, settings: Settings, patient: None) -> None:
    await live_world.open()
    seen = SeenReads()
    gateway = Gateway(seen.client(live_world.env.client), settings, live_world.runbook)
    async with serving(gateway.app()) as server:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=50) as http:
            page = (await http.get("/incidents/1")).text
            version = page.partition('data-version="')[2].partition('"')[0]
            viewers = [asyncio.create_task(changed(http, version)) for _ in range(10)]
            await live_world.tell(AddNote(by="ann", text="the cache is empty"))
            await asyncio.gather(*viewers)
        gateway.stop()
    found = reads(seen.queries)
    assert found == ["incident", "agenda"] * (len(found) // 2)
    assert len(found) <= 8, "not once for each viewer"


async def test_events_are_for_those_who_may_read(live_world: World, settings: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, settings, peer="203.0.113.7") as http:
        for path in ("/events", "/incidents/1/events"):
            assert (await http.get(path)).status_code == 403
