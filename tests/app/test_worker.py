"""What a worker says of the probes when it starts."""

import io

import pytest
from rich.console import Console
from temporalio.client import Client

from incidents.app.composition.schedules import ensure_recorder
from incidents.app.settings import load_settings
from incidents.app.worker import build_integrations_table
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


async def test_the_recorder_is_off_while_a_probe_cannot_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROBE_API_KEY", raising=False)
    nobody = await Client.connect("127.0.0.1:1", lazy=True)
    off = "Latency baseline recorder off ({}): rollbacks may end inconclusive"
    said = await ensure_recorder(nobody, load_settings(), RUNBOOK)
    assert said == off.format("PROBE_API_KEY is not set")
    said = await ensure_recorder(nobody, load_settings(), RUNBOOK.replace(regions=()))
    assert said == off.format("runbook.yaml has no regions")
