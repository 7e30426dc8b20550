"""The reference of the configuration is generated from its models; only what they do not say is written by hand."""

import os
import re
from pathlib import Path

import pytest

from incidents.domain.config.json_schema import runbook_schema
from tests.support.documents import runbook_reference, settings_table
from tests.support.documents.behaviours import ROOT

VARIABLES = ROOT / "docs" / "configuration.md"


def hold(document: Path, made: str) -> None:
    """Compare a document with what is generated; write it if `make configuration` runs."""
    if os.environ.get("WRITE_DOCS") == "1":
        document.write_text(made, encoding="utf-8")
    assert document.read_text(encoding="utf-8") == made, "run `make configuration`"


def test_the_reference_of_the_runbook_is_generated() -> None:
    hold(runbook_reference.DOCUMENT, runbook_reference.generated())


def test_the_table_of_variables_is_generated() -> None:
    hold(VARIABLES, settings_table.generated(VARIABLES.read_text(encoding="utf-8")))


def test_each_variable_is_listed_once() -> None:
    names = [name for name, _ in settings_table.ROW.findall(VARIABLES.read_text(encoding="utf-8"))]
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))


def test_every_setting_of_the_runbook_is_in_the_reference() -> None:
    schema = runbook_schema()
    models = [schema, *(each for each in schema["$defs"].values() if "properties" in each)]
    settings = {name for model in models for name, each in model["properties"].items() if not each.get("deprecated")}
    text = runbook_reference.generated()
    assert len(settings) > 150
    listed = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) | set(re.findall(r"^## (\w+)", text, re.MULTILINE))
    assert settings - listed == {"regex"}, "a pattern is written in place of a text, and shown there"


@pytest.mark.parametrize(
    "line",
    [
        "| `acknowledge_within` | term | **required** |  |",
        "| `history_events` | integer, 200 to 2000 | `500` |  |",
        "| `opens` | time of day | `09:00` |  |",
        "| `rollback` | `automatic` or `approve` or `two_people` or `never` | `approve` |  |",
        "| `within` | term | `2d` |  |",
    ],
)
def test_what_the_reference_says(line: str) -> None:
    assert line in runbook_reference.generated().splitlines()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "| `HTTP_TIMEOUT_SECONDS` | seconds | text | `7` | yes | slack |",
            "| `HTTP_TIMEOUT_SECONDS` | seconds | number, at most 60 | `5` | | |",
        ),
        ("| `SLACK_BOT_TOKEN` | a token | | | | |", "| `SLACK_BOT_TOKEN` | a token | text | | yes | slack |"),
        ("| `METRICS_ADDRESS` | where | | none | | |", "| `METRICS_ADDRESS` | where | text | none | | |"),
        (
            "| `POSTGRES_PASSWORD` | of compose | text | | yes | |",
            "| `POSTGRES_PASSWORD` | of compose | text | | yes | |",
        ),
    ],
)
def test_words_are_kept_and_the_rest_is_the_models(old: str, new: str) -> None:
    assert settings_table.generated(old) == new
