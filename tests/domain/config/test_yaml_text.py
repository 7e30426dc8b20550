"""The YAML that people write: runbooks and scenarios are read with the same limits and errors."""

from collections.abc import Callable

import pytest

from incidents.domain.config import yaml_text
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.yaml_text import read_mapping
from incidents.domain.core.errors import RunbookError
from incidents.domain.foresight.scenario import ScenarioError, parse_scenario

READERS: list[tuple[Callable[[str, str], object], type[Exception]]] = [
    (parse_runbook, RunbookError),
    (parse_scenario, ScenarioError),
]
LAUGHS = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
CHAIN = "a: &a0 [x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000))


@pytest.mark.parametrize(("read", "kind"), READERS, ids=["runbook", "scenario"])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("severity: P0\nseverity: P1\n", "f.yaml:2: severity: given twice"),
        ("facts:\n  - {at: 4m, do: ack, by: ann, by: bob}\n", "f.yaml:2: facts.by: given twice"),
        ("a: 1\nb: &x [*x]\n", "f.yaml:2: not YAML: an anchor refers to itself"),
        ("facts:\n  - &a {at: 4m, do: ack, by: *a}\n", "f.yaml:2: not YAML: an anchor refers to itself"),
        (LAUGHS, "f.yaml:6: not YAML: too large: its aliases stand for more than 500000 values"),
        (CHAIN, "f.yaml:101: not YAML: nested too deeply"),
        ("[" * 100_000, "f.yaml:1: not YAML: nested too deeply"),
        ("a: 1\nb:\n  - 2026-13-45\n", "f.yaml:3: not YAML: month must be in 1..12"),
        ("a: 1\nb: \x00\n", "f.yaml:2: not YAML: "),
        ("a: 1\n? [b]\n: 2\n", "f.yaml:2: not YAML: found unhashable key"),
        ("a: 1\n--- \nb: 1\n", "f.yaml:2: not YAML: but found another document"),
        ("a: " + "x" * yaml_text.LARGEST, "f.yaml:1: too large: a file has at most 4000000 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_read_is_named_with_its_line(
    read: Callable[[str, str], object], kind: type[Exception], text: str, fault: str
) -> None:
    with pytest.raises(kind) as error:
        read(text, "f.yaml")
    assert str(error.value).startswith(fault)


def test_a_merged_key_may_be_overridden() -> None:
    """YAML's merge key is there for that: only what is written twice in one mapping is a mistake."""
    text = "base: &base {at: 1m, do: ack}\nfact:\n  <<: *base\n  at: 2m\n"
    _, data = read_mapping(text, "f.yaml", "")
    assert data["fact"] == {"at": "2m", "do": "ack"}


def test_an_alias_is_not_taken_for_a_repetition() -> None:
    _, data = read_mapping("a: &a {b: 1}\nc: *a\nd: [*a, *a]\n", "f.yaml", "")
    assert data["d"] == [{"b": 1}, {"b": 1}]


def test_each_repetition_of_a_runbook_is_named_at_once() -> None:
    with pytest.raises(RunbookError) as error:
        parse_runbook("a: 1\na: 2\nb: {c: 1, c: 2}\n", "f.yaml")
    assert str(error.value).splitlines() == ["f.yaml:2: a: given twice", "f.yaml:3: b.c: given twice"]
