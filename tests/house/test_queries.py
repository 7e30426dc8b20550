"""A query can make a history impossible to replay while its workflow is busy, so no activity sends one.

sdk-core answers a query from history that may end with events of no task yet, and keeps the state that follows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [*sorted((ROOT / "activities").rglob("*.py")), ROOT / "incidents/app/composition/activities.py"]
QUERIES_A_METRIC = {"prometheus.query", "self._prometheus.query"}
"""Calls of that name that ask Prometheus, not a workflow."""


def queries(text: str) -> Iterator[str]:
    """Each thing whose `query` a module calls or hands on."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr == "query" and isinstance(node.ctx, ast.Load):
            yield ast.unparse(node)


def workflow_queries(text: str) -> set[str]:
    """Those of a workflow. What a request holds in a field of that name is text: `wanted.item.query`."""
    return {found for found in queries(text) if found not in QUERIES_A_METRIC and not found.endswith("item.query")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_activity_queries_a_workflow(path: Path) -> None:
    assert workflow_queries(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "await handle.query('incident', result_type=Incident)",
        "await client.get_workflow_handle(x).query(IncidentWorkflow.incident)",
        "ask = self._handle.query",
    ],
)
def test_a_query_is_noticed(text: str) -> None:
    assert len(workflow_queries(f"async def f():\n    {text}")) == 1
