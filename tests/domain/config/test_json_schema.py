"""The JSON Schema of runbook.yaml: what an editor says of a file before `incident check` does."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from incidents.domain.config.json_schema import runbook_schema
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.errors import RunbookError
from tests.support.incidents import TEXT

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "docs" / "runbook.schema.json"


class EditorsLoader(yaml.SafeLoader):
    """YAML as editors read it: a date is text."""


EditorsLoader.yaml_implicit_resolvers = {
    letter: [found for found in resolvers if found[0] != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def faults(text: str) -> list[str]:
    """What an editor marks: the place of each fault."""
    document: Any = yaml.load(text, EditorsLoader)
    found = jsonschema_rs.validator_for(runbook_schema()).iter_errors(document)
    return [".".join(str(part) for part in error.instance_path) for error in found]


def test_the_schema_is_published() -> None:
    schema = json.dumps(runbook_schema(), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("WRITE_DOCS") == "1":
        PUBLISHED.write_text(schema, encoding="utf-8")
    assert PUBLISHED.read_text(encoding="utf-8") == schema, "run `make runbook-schema`"


def test_the_files_first_line_names_it() -> None:
    first = TEXT.splitlines()[0]
    assert first == f"# yaml-language-server: $schema={PUBLISHED.relative_to(ROOT)}"


@pytest.mark.parametrize("file", ["runbook.yaml", "tests/support/acme.yaml"])
def test_a_runbook_that_loads_fits_the_schema(file: str) -> None:
    assert faults((ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("acknowledge_within: 5m", "acknowledge_within: 5", "severities.P0.acknowledge_within"),
        ("acknowledge_within: 5m", "acknowledge_within: soon", "severities.P0.acknowledge_within"),
        ("every: 30m", "every: 30 minutes", "severities.P0.updates.every"),
        ("acknowledge_within: 5m", "acknowledge_within_: 5m", "severities.P0"),
        ("channels: [status_page, slack, email]", "channels: [pigeon]", "severities.P0.updates.channels.0"),
        ("[mon, tue, wed, thu, fri]", "[monday, someday]", "calendar.working_days.1"),
        ('opens: "09:00"', "opens: nine", "calendar.opens"),
        ("expect_status: 200", "expect_status: 20", "probes.1.expect_status"),
        ("inform: all", "inform: some", "customers.inform"),
        ("product: FeatureSignals", "prodct: FeatureSignals", ""),
    ],
)
def test_what_does_not_load_does_not_fit(old: str, new: str, place: str) -> None:
    broken = TEXT.replace(old, new, 1)
    assert broken != TEXT
    with pytest.raises(RunbookError):
        parse_runbook(broken)
    assert place in faults(broken)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("acknowledge_within: 5m", "acknowledge_within: 2 business days"),
        ("every: 30m", "every: 1h 30m"),
        ("[mon, tue, wed, thu, fri]", "[Monday, TUE]"),
        ("expect_status: 200", "expect_status: [200, 204]"),
        ("retry_for:", "patience:"),
    ],
)
def test_what_loads_fits(old: str, new: str) -> None:
    parse_runbook(TEXT.replace(old, new, 1))
    assert faults(TEXT.replace(old, new, 1)) == []
