"""The post-mortem's commands on a real server."""

import pytest

from incidents.domain.postmortem.postmortem import Stage as Standing
from tests.cli.conftest import NOBODY, Incidental, Opened, Stage


@pytest.fixture
def owed(stage: Stage) -> Opened:
    """A resolved P0, whose post-mortem is owed."""
    return stage.open()


@pytest.fixture
def resolved(owed: Opened, on_stage: Incidental) -> str:
    """The number of a resolved P0 whose post-mortem has begun."""
    assert on_stage("resolve", owed.number, "--force", "--reason", "quiet", "--by", "ann").status == 0
    owed.until(lambda incident: f"postmortem/{incident.times_resolved}" in incident.ledger.fulfilled)
    return owed.number


def test_show_publish_and_again(resolved: str, on_stage: Incidental) -> None:
    document = on_stage("postmortem", "show", resolved, "--json").document
    assert (document["number"], document["stage"]) == (int(resolved), Standing.OWED)
    shown = on_stage("postmortem", "show", f"postmortem-{resolved}").out
    assert f"Post-mortem of INC-{resolved} · owed" in shown
    assert "due" in shown
    early = on_stage("postmortem", "publish", resolved, "https://wiki/1", "--by", "ann")
    assert early.status == 1
    assert "0 of at least 3 whys" in early.why
    written(on_stage, resolved)
    said = on_stage("postmortem", "publish", resolved, "https://wiki/1", "--by", "ann", "--json")
    assert said.document["message"].startswith("Published: https://wiki/1. Review at ")
    assert on_stage("postmortem", "show", resolved, "--json").document["stage"] == Standing.PUBLISHED
    review = ("postmortem", "review", resolved, "--outcome", "Everybody has read it.", "--by", "ann")
    assert on_stage(*review).out == "Reviewed: Everybody has read it.\n"


def written(on_stage: Incidental, number: str) -> None:
    """Fill the document from the command line, as its owner would."""
    for words in (
        ("edit", number, "--summary", "Evaluations failed.", "--cause", "deployment"),
        *(("why", number, f"Reason {count}.") for count in (1, 2, 3)),
        ("why", number, "Nobody reads old caches.", "--root-cause"),
        ("well", number, "The rollback was quick."),
        ("better", number, "The alert was slow."),
        ("action", number, "Test with old caches", "--owner", "engineering_manager", "--due", "2027-01-15"),
        ("action", number, "--item", "1", "--outcome", "The test runs in CI."),
        ("action", number, "--done", "1"),
        ("assign", number, "bob"),
    ):
        said = on_stage("postmortem", *words, "--by", "ann")
        assert said.status == 0, said.why
    until = on_stage("postmortem", "submit", number, "--by", "ann")
    assert until.status == 0, until.why
    assert "Submitted" in until.out


def test_waive(resolved: str, stage: Stage, on_stage: Incidental) -> None:
    said = on_stage("postmortem", "waive", f"INC-{resolved}", "--reason", "a drill of ours", "--by", "ann")
    assert (said.status, said.out) == (0, "Waived: a drill of ours\n")
    ended = stage.client.get_workflow_handle(f"postmortem-{resolved}").result()
    stage.do(ended)
    again = on_stage("postmortem", "waive", resolved, "--reason", "x")
    assert again.status == 1
    assert "is closed. Nothing was changed" in again.why


def test_none_is_owed(stage: Stage, on_stage: Incidental) -> None:
    number = stage.open("warning").number
    for words in (("show",), ("publish", "https://wiki/1"), ("waive", "--reason", "x")):
        said = on_stage("postmortem", words[0], number, *words[1:])
        assert said.status == 1
        assert f"INC-{number} has no post-mortem yet. One that its severity requires starts once" in said.why
        assert f"To start one now: `incident postmortem start {number}`." in said.why
    assert "424242 not found" in on_stage("postmortem", "show", "424242").why
    orphan = stage.begin("critical", queue=NOBODY)
    assert "has no number yet" in on_stage("postmortem", "show", orphan.id).why


def test_96_an_unknown_owner_is_refused_with_the_names_that_exist(resolved: str, on_stage: Incidental) -> None:
    said = on_stage("postmortem", "action", resolved, "Test it", "--owner", "zoe")
    assert (said.status, said.out) == (1, "")
    assert "zoe is not in runbook.yaml. Owners: on_call, on_call_backup, engineering_manager" in said.why
    assert on_stage("postmortem", "action", resolved, "Test it", "--owner", "cto").status == 0
