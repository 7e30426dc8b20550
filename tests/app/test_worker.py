"""What a worker says when it starts: of the probes, and of search attributes that it may not register."""

import io
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from rich.console import Console
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.composition.schedules import ensure_recorder
from incidents.app.settings import load_settings
from incidents.app.worker import build_integrations_table, ensure_search_attributes
from incidents.client.problems import ConnectionProblem
from incidents.search_attributes import COMMANDER, SEARCH_ATTRIBUTES
from tests.support.incidents import RUNBOOK


@pytest.mark.parametrize(
    ("key", "row"),
    [("", "evaluation probe off PROBE_API_KEY is not set"), ("k", "evaluation probe on PROBE_API_KEY set")],
)
def test_the_table_lists_each_probe_and_the_variable_that_it_lacks(
    monkeypatch: pytest.MonkeyPatch, key: str, row: str
) -> None:
    monkeypatch.setenv("PROBE_API_KEY", key)
    printed = io.StringIO()
    Console(file=printed, width=200).print(build_integrations_table(load_settings(), RUNBOOK))
    rows = [" ".join(line.replace("│", " ").split()) for line in printed.getvalue().splitlines()]
    assert row in rows
    assert "health probe on needs no credentials" in rows


@pytest.mark.parametrize("status", [RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED])
async def test_a_worker_that_may_not_register_search_attributes_says_which_are_missing(status: RPCStatusCode) -> None:
    known = {key.name: 0 for key in SEARCH_ATTRIBUTES if key is not COMMANDER}
    client: Any = SimpleNamespace(
        namespace="incidents.a1b2c",
        operator_service=SimpleNamespace(
            list_search_attributes=AsyncMock(return_value=SimpleNamespace(custom_attributes=known)),
            add_search_attributes=AsyncMock(side_effect=RPCError("no", status, b"")),
        ),
    )
    with pytest.raises(ConnectionProblem, match=r"incidents.a1b2c lacks the search attributes IncidentCommander, and"):
        await ensure_search_attributes(client)


async def test_the_recorder_is_off_while_a_probe_cannot_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROBE_API_KEY", raising=False)
    nobody = await Client.connect("127.0.0.1:1", lazy=True)
    off = "Latency baseline recorder off ({}): rollbacks may end inconclusive"
    said = await ensure_recorder(nobody, load_settings(), RUNBOOK)
    assert said == off.format("PROBE_API_KEY is not set")
    said = await ensure_recorder(nobody, load_settings(), RUNBOOK.replace(regions=()))
    assert said == off.format("runbook.yaml has no regions")
