"""Metrics, dashboard, alert rules and their documents name the same things."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from incidents.metrics import METRICS, Kind, Metric
from tests.house.test_documents import anchors
from tests.support.servers.prometheus import PROMTOOL, needs_promtool

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "operating.md"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "incident-runbook.json"
BEGIN, END = "<!-- begin: made from incidents/metrics.py by `make metrics` -->", "<!-- end -->"
NAME = re.compile(r"\b(?:incidents|temporal|process)_[a-z_]+\b")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> Iterator[str]:
    """Every PromQL of the dashboard and of the rules."""
    for panel in panels():
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (rule["expr"] for rule in rules())


def used() -> set[str]:
    """The metrics that dashboard and rules read, a histogram by its own name."""
    return {SUFFIX.sub("", name) for expression in expressions() for name in NAME.findall(expression)}


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.program} | {metric.help} |"


def test_the_table_of_metrics_is_the_programs() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, "the table's place is marked"
    assert end, "the table's end is marked"
    table = "\n".join(
        ["| metric | type | labels | exposed by | what it means |", "|---|---|---|---|---|", *map(row, METRICS)]
    )
    expected = f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
    if os.environ.get("WRITE_DOCS") == "1":
        DOCUMENT.write_text(expected, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == expected, "run `make metrics`"


def test_dashboard_and_rules_read_metrics_that_exist() -> None:
    ours = {name for name in used() if name.startswith("incidents_")}
    assert ours - {metric.name for metric in METRICS} == set()
    shown = {metric.name for metric in METRICS if metric.kind is not Kind.HISTOGRAM or metric.buckets}
    assert shown - ours == set(), "each metric is on the dashboard or in a rule"


def test_a_label_that_is_matched_or_grouped_by_exists() -> None:
    known = {label for metric in METRICS for label in metric.shown_labels} | {"job", "instance", "le"}
    grouped = {name for each in expressions() for by in re.findall(r"by \(([^)]*)\)", each) for name in by.split(", ")}
    matched = {name for each in expressions() for name in re.findall(r"[{,]\s*(\w+)\s*[=!]~?", each)}
    assert (grouped | matched) - known == set()


def test_on_time_is_a_bucket_of_its_own() -> None:
    from incidents.domain.updates.state import PUNCTUAL
    from incidents.metrics import UPDATE_LATENESS

    assert PUNCTUAL.total_seconds() in UPDATE_LATENESS.buckets


def test_each_alert_leads_to_its_section() -> None:
    known = anchors(DOCUMENT)
    text = DOCUMENT.read_text(encoding="utf-8")
    for rule in rules():
        document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (document, anchor in known) == ("docs/operating.md", True), rule["alert"]
        assert f'<a id="{anchor}"></a>`{rule["alert"]}`' in text
        assert rule["labels"]["urgency"] in ("page", "ticket", "none")
    assert set(re.findall(r'<a id="(alert-[\w-]+)">', text)) == {
        rule["annotations"]["runbook_url"].partition("#")[2] for rule in rules()
    }


def test_each_alert_is_tested() -> None:
    tests = yaml.safe_load((RULES.parent / "rules.test.yml").read_text(encoding="utf-8"))["tests"]
    fires = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    silent = {case["alertname"] for test in tests for case in test["alert_rule_test"] if not case["exp_alerts"]}
    assert fires == {rule["alert"] for rule in rules()}
    assert fires - silent == {"IncidentRunbookAlive"}, "the others are shown to be silent, too"


@needs_promtool
@pytest.mark.parametrize("words", [("check", "config", "prometheus.yml"), ("test", "rules", "rules.test.yml")])
def test_promtool_accepts(words: tuple[str, ...]) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_can_be_imported() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    [variable] = dashboard["templating"]["list"]
    assert (variable["type"], variable["name"]) == ("datasource", "datasource")
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    for panel in panels():
        for source in (panel, *panel.get("targets", ())):
            assert source.get("datasource", {"uid": "${datasource}"})["uid"] == "${datasource}", panel["title"]
    places = [tuple(panel["gridPos"].values()) for panel in panels()]
    assert all(x + width <= 24 for x, _, width, _ in places)
    assert len(places) == len(set(places))
