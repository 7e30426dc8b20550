"""The demo's runbook differs from the real one in durations, samples, a customer and the sandbox's components, only."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from incidents.domain.core.time.duration import parse_duration
from sandbox.vendors import statuspage


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of a YAML document by its place."""
    if isinstance(value, dict):
        return {k: v for name, part in value.items() for k, v in leaves(part, f"{path}.{name}").items()}
    if isinstance(value, list):
        return {k: v for number, part in enumerate(value) for k, v in leaves(part, f"{path}.{number}").items()}
    return {path: value}


MEASURES = {".rollback.min_samples", ".rollback.latency_slack_ms", ".rollback.baseline.min_samples"}
"""What fits into seconds, on a busy machine."""


CUSTOMERS = {".customers.contacts.ACME": "ops@acme.example"}
"""Whom the demo's scenarios ask; the real one begins without any."""


COMPONENTS = {".status_page.components." + name for name in ("flag-evaluation/eu", "flag-evaluation/us")} | {
    ".status_page.components.dashboard",
    ".status_page.components.webhooks",
}
"""Those of the sandbox's status page; a real page has others."""


def test_only_durations_a_customer_and_components_differ() -> None:
    real = leaves(yaml.safe_load(Path("runbook.yaml").read_text(encoding="utf-8")))
    demo = leaves(yaml.safe_load(Path("sandbox/runbook.demo.yaml").read_text(encoding="utf-8")))
    added = {place: demo[place] for place in demo.keys() - real.keys()}
    assert {place: added[place] for place in added.keys() - COMPONENTS} == CUSTOMERS
    assert {added[place] for place in COMPONENTS} == statuspage.COMPONENTS.keys(), "each of the page's components"
    assert real.keys() <= demo.keys()
    different = {place: (real[place], demo[place]) for place in real if real[place] != demo[place]}
    assert different, "the demo is quicker than life"
    assert different.keys() >= MEASURES
    for place, values in different.items():
        if place in MEASURES:
            continue
        assert all(isinstance(parse_duration(value), timedelta) for value in values), place


def test_it_says_so() -> None:
    said = Path("sandbox/runbook.demo.yaml").read_text(encoding="utf-8").replace("\n# ", " ")
    assert "fewer samples in them, a customer, the components of the sandbox's status page, and nothing else" in said
