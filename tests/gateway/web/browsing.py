"""A browser without script: requests to the pages, and what a page says."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from itertools import groupby

import httpx
from temporalio.client import Client

from incidents.app.settings import Settings
from incidents.gateway.app import Gateway
from tests.support.environment import World

LOCAL = "http://localhost"


@asynccontextmanager
async def browsing(
    world: World,
    settings: Settings,
    *,
    base_url: str = LOCAL,
    peer: str = "127.0.0.1",
    client: Client | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that asks from `peer`. `client`: the gateway's, instead of the world's."""
    app = Gateway(client or world.env.client, settings, world.runbook).app()
    transport = httpx.ASGITransport(app, client=(peer, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as http:
        yield http


def words(answer: httpx.Response) -> str:
    """A page's text, without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def front_page(http: httpx.AsyncClient, text: str) -> str:
    """The words of the front page, as soon as a text is among them: its list is kept a second, and visibility lags."""
    shown = ""
    for _ in range(200):
        shown = words(await http.get("/"))
        if text in shown:
            break
        await asyncio.sleep(0.1)
    return shown


def reads(queries: list[str]) -> list[str]:
    """The queries, each that was sent again once: a busy machine answers late."""
    return [query for query, _ in groupby(queries)]
