"""The description of the API, and its page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import jsonschema_rs
import pytest

from incidents.cli.index import SECTIONS
from incidents.domain.apply_command import COMMANDS
from incidents.gateway.api.bodies import KINDS
from incidents.gateway.api.openapi import document

ANSWERS_PAST_COMMANDS = {"list", "open", "show", "timeline"}
"""What the API has as resources of their own, and the command line as subcommands."""
ELSEWHERE = {"status", "watch", "similar", "candidates", "evidence", "report", "backfill", "postmortem", "drill"}
"""What the command line has, and the API does not."""


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def operations() -> list[dict[str, Any]]:
    return [operation for methods in document()["paths"].values() for operation in methods.values()]


def test_it_is_openapi_with_schemas_that_are_valid_and_used() -> None:
    described = document()
    assert described["openapi"] == "3.1.0"
    names = {reference.rpartition("/")[2] for reference in references(described)}
    assert names == set(described["components"]["schemas"])
    for schema in described["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    ids = [operation["operationId"] for operation in operations()]
    assert len(set(ids)) == len(ids)


def test_every_command_is_described_by_the_name_of_the_command_line() -> None:
    assert set(KINDS.values()) == set(COMMANDS)
    listed = {name for section, found in SECTIONS.items() if section not in ("Operate", "Plan") for name in found}
    assert listed - ELSEWHERE - ANSWERS_PAST_COMMANDS == set(KINDS) - {"postmortem-start"}
    assert {operation["operationId"] for operation in operations()} >= set(KINDS) | ANSWERS_PAST_COMMANDS


@pytest.mark.parametrize("name", KINDS)
def test_a_body_has_the_commands_fields_without_its_sender(name: str) -> None:
    operation = document()["paths"][f"/api/v1/incidents/{{ref}}/commands/{name}"]["post"]
    [reference] = references(operation["requestBody"])
    schema = document()["components"]["schemas"][reference.rpartition("/")[2]]
    assert not {"by", "id"} & set(schema["properties"])
    assert schema["additionalProperties"] is False
    if name != "merge":
        assert set(schema["properties"]) == set(KINDS[name].model_fields) - {"by", "id", "origin"}


class Page(HTMLParser):
    """What a page loads, and the ids that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in ("script", "link", "img", "iframe", "object"):
            self.loaded.append(tag)
        if found := named.get("id"):
            self.ids.add(found)


async def test_the_page_lists_all_of_it_and_loads_nothing(api: httpx.AsyncClient) -> None:
    assert (await api.get("/openapi.json")).json() == document()
    answer = await api.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    page = Page()
    page.feed(answer.text)
    assert page.loaded == []
    assert page.ids == {operation["operationId"] for operation in operations()}
    nonce = re.search(r"style-src 'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert nonce is not None
    assert f'<style nonce="{nonce[1]}">' in answer.text
    assert "script" not in answer.headers["content-security-policy"]
    assert len(answer.content) < 100_000
