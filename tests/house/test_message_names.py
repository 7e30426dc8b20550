"""The name of a signal, update or query is written once, in `incidents/contracts.py` or on its command."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from incidents import contracts, names

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "incidents/contracts.py"
MODULES = [
    path
    for package in ("incidents", "workflows", "activities")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path != CONTRACTS
]
EVENTS = {
    contracts.ALERT_FIRED,
    contracts.ALERT_RESOLVED,
    contracts.HEARTBEAT_CAME,
    contracts.HEARTBEAT_RULE,
    contracts.HEARTBEAT_RETIRED,
    contracts.DRILL_STOPPED,
    contracts.WINDOWS_CHANGED,
    contracts.MAIL_BOUNCED,
    contracts.MERGE_MESSAGE,
    contracts.SURGE_MESSAGE,
    contracts.ROLLBACK_MOVED,
    contracts.ROLLBACK_ENDED,
    contracts.PROBED,
    contracts.JUDGED,
    contracts.COMMAND_REFUSED,
    contracts.POSTMORTEM_PUBLISHED,
    contracts.POSTMORTEM_WAIVED,
    contracts.INCIDENT_RESOLVED,
    contracts.INCIDENT_REOPENED,
    contracts.INCIDENT_CANCELLED,
    contracts.INCIDENT_CLOSED,
    contracts.ISSUE_CHANGED,
}
"""Names that mean nothing but a signal: no module may spell one."""
SENDS = {"signal": 0, "execute_update": 0, "start_update": 0, "execute_update_with_start_workflow": 0}
ASKS = {"query": 0, "ask": 1}
"""Calls by name, and which argument is the message's."""
KEYWORDS = {"start_signal"}


def spelled(text: str) -> Iterator[str]:
    """Each name of a message that a module spells: an event's anywhere, any other where it is sent or defined."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and node.value in EVENTS:
            yield str(node.value)
        if isinstance(node, ast.Call):
            yield from (value for value in _named(node) if value not in EVENTS)


def _named(call: ast.Call) -> Iterator[str]:
    function = call.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    at = (SENDS | ASKS).get(name, -1)
    given = [call.args[at]] if 0 <= at < len(call.args) and not _asks_a_metric(call) else []
    given += [each.value for each in call.keywords if each.arg in KEYWORDS]
    if ast.unparse(function) in ("workflow.signal", "workflow.update", "workflow.query"):
        given += [each.value for each in call.keywords if each.arg == "name"]
    yield from (str(each.value) for each in given if isinstance(each, ast.Constant))


def _asks_a_metric(call: ast.Call) -> bool:
    """Tell whether a `query` is one of Prometheus or SigNoz."""
    return "prometheus" in ast.unparse(call.func) or "signoz" in ast.unparse(call.func)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_spells_the_name_of_a_message(path: Path) -> None:
    assert list(spelled(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('await handle.signal("alert_fired", batch)', ["alert_fired"]),
        ('name = "probed"', ["probed"]),
        ('await handle.signal("acknowledge", command)', ["acknowledge"]),
        ('await handle.execute_update("resolve", command)', ["resolve"]),
        ('await handle.query("agenda", result_type=list)', ["agenda"]),
        ('await ask(handle, "incident", Incident, name)', ["incident"]),
        ('await client.start_workflow(run, start_signal="acknowledge")', ["acknowledge"]),
        ('@workflow.update(name="allocate", description="x")\ndef f(): ...', ["allocate"]),
        ("await handle.signal(ALERT_FIRED, batch)", []),
        ("await handle.signal(command.name, command)", []),
        ("await handle.signal(RollbackWorkflow.judged, verdict)", []),
        ('self._prometheus.query("up")', []),
    ],
)
def test_what_counts_as_spelling_a_name(text: str, found: list[str]) -> None:
    assert list(spelled(text)) == found


def test_every_event_of_the_contracts_is_looked_for() -> None:
    """A constant of contracts whose value is a name in lower case is a message; queries are common words."""
    values = {value for name, value in vars(contracts).items() if name.isupper() and isinstance(value, str)}
    messages = {value for value in values if value.islower() and "-" not in value}
    others = {value for name, value in vars(contracts).items() if name.endswith("_QUERY")} | {names.ALLOCATE_NUMBER}
    assert messages - others == EVENTS
