"""Each `curl` of the documents that calls the gateway is sent to one, as it is written."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest

from incidents.app.api_tokens import Scope
from tests.gateway.api.conftest import Token, opened
from tests.gateway.calls import TOKEN
from tests.support.documents.behaviours import ROOT
from tests.support.environment import World

BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"^curl (?:[^'\n\\]|\\\n|'[^']*')+", re.MULTILINE)
FLAGS = {"--fail", "--silent", "--show-error", "--retry-all-errors"}


@dataclass
class Call:
    """A request as a document writes it."""

    document: str
    url: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


def parsed(document: str, text: str) -> Call:
    """Read a curl command. An option that is not known here is an error."""
    call = Call(document)
    words = iter(shlex.split(text.replace("\\\n", " "), comments=True)[1:])
    for word in words:
        match word:
            case "-H":
                name, _, value = next(words).partition(": ")
                call.headers[name.lower()] = value
            case "-d" | "--json":
                call.method, call.body = "POST", next(words)
            case "-X":
                call.method = next(words)
            case "--retry":
                next(words)
            case url if url.startswith(("http://", "https://")):
                call.url = url
            case _:
                assert word in FLAGS, word
    return call


def documented() -> Iterator[Call]:
    """Every call that a document's block begins a line with."""
    for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in BLOCK.findall(document.read_text(encoding="utf-8")):
            for found in CALL.findall(block):
                yield parsed(document.name, found)


CALLS = list(documented())


def test_the_calls_are_found() -> None:
    assert {call.document for call in CALLS} == {"alert-sources.md", "api.md", "operating.md", "quickstart.md"}


@pytest.mark.parametrize("call", CALLS, ids=[f"{call.document} {call.method} {call.url}" for call in CALLS])
async def test_a_documented_call_is_accepted(
    call: Call, live_world: World, api: httpx.AsyncClient, token: Token
) -> None:
    ann = token("ann", Scope.READ, Scope.RESPOND)
    path = urlsplit(call.url).path
    if "INC-42" in path:
        path = path.replace("INC-42", (await opened(live_world, api, ann)).rpartition("/")[2])
    headers = {name: value for name, value in call.headers.items() if name != "authorization"}
    proof = ann["authorization"] if call.headers["authorization"] == "Bearer $TOKEN" else f"Bearer {TOKEN}"
    headers |= {"authorization": proof, "content-type": "application/json"}
    headers = {name: value.replace("$(uuidgen)", "0b7a3c52") for name, value in headers.items()}
    answer = await api.request(call.method, path, headers=headers, content=call.body)
    if path.startswith("/heartbeat/"):  # the shipped runbook expects none
        assert (answer.status_code, "has no heartbeat" in answer.text) == (404, True)
    else:
        assert answer.status_code in (200, 202), answer.text
