"""`latest` and `.` on a real server: which incident they mean, and when they are refused."""

import time

from tests.cli.conftest import Incidental, Opened, Stage, changed, refused


def test_latest_and_the_only_open_one(stage: Stage, on_stage: Incidental) -> None:
    for name in ("latest", "."):
        assert "No incident is open" in refused(on_stage("show", name))
    first = stage.open("warning")
    assert [shown(on_stage, name) for name in (".", "latest", "#1")] == [first.id] * 3
    second = stage.open("warning")
    assert shown(on_stage, "latest") == second.id
    said = refused_when_seen(on_stage, second)
    assert "`.` is not clear: 2 incidents are open" in said
    assert f"INC-{first.number}" in said
    changed(on_stage("resolve", second.number, "--force", "--reason", "x", "--by", "ann", "--json"))
    until_only(on_stage, first)
    assert shown(on_stage, "latest") == first.id, "a resolved incident is not open, though its reopen window is"
    changed(on_stage("resolve", first.number, "--force", "--reason", "x", "--by", "ann", "--json"))
    assert shown(on_stage, "latest") == second.id, "where none is open: those whose reopen window is"
    assert "has no post-mortem" in refused(on_stage("postmortem", "show", "latest"))


def shown(on_stage: Incidental, name: str) -> str:
    found: str = on_stage("show", name, "--json").document["workflow_id"]
    return found


def refused_when_seen(on_stage: Incidental, opened: Opened) -> str:
    """The refusal, as soon as visibility knows the incident."""
    deadline = time.monotonic() + 10
    while (said := on_stage("show", ".")).status == 0:
        assert time.monotonic() < deadline
    assert f"INC-{opened.number}" in said.why
    return refused(said)


def until_only(on_stage: Incidental, opened: Opened) -> None:
    """Wait until visibility knows that it is the only one that is open."""
    deadline = time.monotonic() + 10
    while on_stage("show", ".").status != 0:
        assert time.monotonic() < deadline
    assert shown(on_stage, ".") == opened.id


def test_what_refers_to_nothing(on_stage: Incidental) -> None:
    assert "'INC-4x' is not an incident. Use 42, INC-42, #42, latest" in refused(on_stage("ack", "INC-4x"))
    assert "latst not found. Use 42, INC-42" in refused(on_stage("ack", "latst"))
