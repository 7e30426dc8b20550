"""docs/rollback.md draws the rollback's states as the code has them."""

import re
from pathlib import Path

from incidents.domain.rollback.state import INITIAL, TRANSITIONS, RollbackStatus

TEXT = Path("docs/rollback.md").read_text(encoding="utf-8")


def drawn() -> set[tuple[str, str]]:
    [diagram] = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", TEXT, re.DOTALL)
    lines = [line.strip() for line in diagram.splitlines() if line.strip()]
    steps = [re.fullmatch(r"(\S+) --> (\S+)", line) for line in lines]
    assert all(steps), "every line is a step"
    found = [(step[1], step[2]) for step in steps if step]
    assert len(found) == len(set(found)), "no step is drawn twice"
    return set(found)


def test_the_picture_is_the_code() -> None:
    coded = {(start.value, end.value) for start, ends in TRANSITIONS.items() for end in ends}
    coded |= {("[*]", status.value) for status in INITIAL}
    assert drawn() == coded


def test_every_state_is_explained() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \|", TEXT, re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")} - {"state"}
    assert named == {status.value for status in RollbackStatus}
