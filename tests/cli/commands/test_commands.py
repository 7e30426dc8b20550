"""Every command on a real server: what it answers, and what it refuses."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents.domain.core.status import Status
from incidents.domain.incident.checklist import Step
from incidents.domain.rollback.state import RollbackStatus
from tests.cli.conftest import Incidental, Opened, Stage, changed, numbered, reason, refused
from tests.cli.situations import step_failed
from tests.support.fake_activities import an_offer


@pytest.fixture
def opened(stage: Stage) -> Opened:
    """A P0, opened by an alert that still fires."""
    return stage.open()


def test_acknowledge_once_and_by_the_login_if_nobody_is_named(
    opened: Opened, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    said = on_stage("ack", opened.number)
    assert (said.status, said.out, said.err) == (0, "Acknowledged by ann\n", "")
    again = on_stage("ack", f"inc-{opened.number}", "--by", "bob", "--json")
    assert again.status == 0
    assert again.document["changed"] is False
    assert "was acknowledged by ann" in again.document["message"]
    assert opened.state().acknowledged_by == "ann"


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f+00:00"])
def test_acknowledged_earlier(opened: Opened, on_stage: Incidental, form: str) -> None:
    moment = opened.state().started_at + timedelta(microseconds=10)
    changed(on_stage("ack", opened.id, "--at", moment.strftime(form), "--by", "ann", "--json"))
    assert opened.state().acknowledged_at == moment


def test_assess(opened: Opened, on_stage: Incidental) -> None:
    words = ("--customers", "ACME, Globex,", "--services", "api", "--complete", "--title", "Flags fail", "--by", "ann")
    assert "Assessed as complete outage: All flags fail" in changed(
        on_stage("assess", opened.number, "All flags fail.", *words, "--json")
    )
    assessment = opened.state().assessment
    assert assessment is not None
    assert (assessment.customers, assessment.services) == (("ACME", "Globex"), ("api",))
    assert (assessment.complete_outage, assessment.title) == (True, "Flags fail")


def test_severity(opened: Opened, on_stage: Incidental) -> None:
    said = on_stage("severity", opened.number, "p1", "--reason", "one region", "--by", "ann", "--json")
    assert "Severity P0 → P1 (one region)" in changed(said)
    assert f"INC-{opened.number} is already P1" in refused(on_stage("severity", opened.number, "P1", "--json"))


def test_updates_now_next_and_draft(opened: Opened, on_stage: Incidental) -> None:
    before = len(opened.state().updates.published)
    assert "manual" in changed(on_stage("update", opened.number, "We are on it.", "--json"))
    changed(on_stage("update", opened.number, "A fix is out.", "--next", "--json"))
    changed(on_stage("update", opened.number, "We are abou", "--draft", "--json"))
    state = opened.state()
    assert [update.text for update in state.updates.published[before:]] == ["We are on it."]
    assert (state.updates.next_words, state.updates.draft) == ("A fix is out.", "We are abou")


def test_a_p3_has_no_next_update(stage: Stage, on_stage: Incidental) -> None:
    number = numbered(stage.begin("info"))
    assert "no scheduled updates" in refused(on_stage("update", number, "soon", "--next", "--json"))


def test_note(opened: Opened, on_stage: Incidental) -> None:
    assert changed(on_stage("note", opened.number, "restarted [/red] it", "--json")) == "restarted [/red] it"
    shown = on_stage("timeline", opened.number)
    assert shown.status == 0
    assert "restarted [/red] it" in shown.out


@pytest.mark.parametrize(
    ("how", "then"), [(("--retry",), "done"), (("--skip", "no Slack"), "skipped"), (("--done",), "done")]
)
def test_a_failed_step(stage: Stage, on_stage: Incidental, how: tuple[str, ...], then: str) -> None:
    opened = step_failed(stage)
    assert "channel: " in changed(on_stage("step", opened.number, "channel", *how, "--by", "ann", "--json"))
    opened.until(lambda incident: incident.step(Step.CHANNEL).status == then)
    assert "did not fail" in refused(on_stage("step", opened.number, "timer", "--retry"))


@pytest.fixture
def offered(stage: Stage) -> Any:
    """A P0 with rollbacks of two clusters on offer, none of which ends while the test looks."""
    stage.activities.offers = (an_offer(datetime.now(UTC)), an_offer(datetime.now(UTC), "us-001"))
    opened = stage.open()
    stage.activities.offers = ()
    opened.until(lambda incident: len(incident.rollback.clusters) == 2)
    return opened


def test_one_cluster_is_rolled_back_and_the_other_declined(offered: Opened, on_stage: Incidental) -> None:
    number = offered.number
    said = on_stage("rollback", number, "--cluster", "eu-001", "--by", "ann", "--json")
    assert changed(said) == "Rollback of eu-001 approved by ann"
    said = on_stage("decline", number, "--reason", "it is fine", "--by", "ann", "--json")
    assert changed(said) == "Rollback of us-001 declined by ann: it is fine"
    assert "No rollback is waiting for a decision" in refused(on_stage("decline", number, "--reason", "x"))
    first, second = offered.state().rollback.clusters
    assert first.status is not RollbackStatus.OFFERED
    assert second.status is RollbackStatus.DECLINED
    assert "does not run on cluster mars" in refused(on_stage("rollback", number, "--cluster", "mars"))


def test_approve(offered: Opened, on_stage: Incidental) -> None:
    said = on_stage("approve", offered.number, "--cluster", "us-001", "--by", "ann", "--json")
    assert changed(said) == "Rollback of us-001 approved by ann"
    assert offered.state().rollback.clusters[1].decided_by == "ann"


def test_nothing_to_roll_back(opened: Opened, on_stage: Incidental) -> None:
    for words in (("approve",), ("verdict", "healthy"), ("decline", "--reason", "x")):
        told = on_stage(words[0], opened.number, *words[1:])
        assert "No rollback offered" in refused(told)
    assert "Nothing to roll forward" in refused(on_stage("rollback", opened.number, "--forward"))
    said = changed(on_stage("rollback", opened.number, "--by", "ann", "--json"))
    assert said == "Rollback requested by ann: searching the deployment history"
    said = changed(on_stage("rollback", opened.number, "--to", "v1", "--by", "ann", "--json"))
    assert said == "Rollback to v1 requested by ann: searching the deployment history"


def test_a_verdict_is_one_of_two_words(opened: Opened, on_stage: Incidental) -> None:
    said = on_stage("verdict", opened.number, "maybe")
    assert (said.status, said.out) == (2, "")
    assert "use healthy or unhealthy" in said.err


def test_flag(opened: Opened, on_stage: Incidental) -> None:
    said = changed(on_stage("flag", opened.number, "v3", "--reason", "leaks", "--by", "ann", "--json"))
    assert said == "v3 flagged as bad: leaks"
    assert [flag.version for flag in opened.state().rollback.flags] == ["v3"]


def test_candidates(offered: Opened, opened: Opened, on_stage: Incidental) -> None:
    shown = on_stage("candidates", offered.number).out
    assert "eu-001" in shown
    assert "suspect" in shown
    [eu, us] = on_stage("candidates", offered.number, "--json").document
    assert (eu["offer"]["candidate"]["version"], us["offer"]["cluster"]) == ("good", "us-001")
    assert "No rollback offered" in on_stage("candidates", opened.number).out


def test_evidence_that_is_not_there_proves_nothing(opened: Opened, on_stage: Incidental) -> None:
    assert "No evidence saved yet" in on_stage("evidence", "list", opened.number).out
    assert "has no evidence yet" in refused(on_stage("evidence", "verify", opened.number))


def test_confirm(opened: Opened, on_stage: Incidental) -> None:
    said = on_stage("confirm", opened.number, "--customer", "ACME", "--not-restored", "--note", "still 500", "--json")
    assert changed(said) == "ACME: service is NOT restored (still 500)"
    assert "ann: service is restored" in changed(on_stage("confirm", opened.number, "--by", "ann", "--json"))
    assert [c.restored for c in opened.state().customers.confirmations] == [False, True]


def test_60_an_address_of_a_customer_is_matched_here_and_never_sent(
    opened: Opened, on_stage: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, runbook = Path("runbook.yaml").read_text(encoding="utf-8"), tmp_path / "runbook.yaml"
    runbook.write_text(text.replace("  contacts: {} #", "  contacts: {ACME: ops@acme.example} #"), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(runbook))
    said = on_stage("confirm", opened.number, "--customer", "OPS@acme.example", "--json")
    assert changed(said) == "ACME: service is restored"
    said = on_stage("assess", opened.number, "Slow.", "--customers", "Globex, ops@acme.example", "--json")
    assert "customers Globex, ACME" in changed(said)
    stranger = on_stage("assess", opened.number, "Slow.", "--customers", "it@globex.example")
    assert (stranger.status, stranger.out) == (2, "")
    assert "name the customer as runbook.yaml does" in " ".join(stranger.err.split())
    assert "acme.example" not in opened.state().model_dump_json()


def test_from_monitoring_to_the_end(opened: Opened, on_stage: Incidental) -> None:
    number = opened.number
    assert "only a resolved incident" in refused(on_stage("reopen", number, "--reason", "x"))
    changed(on_stage("monitor", number, "It recovers.", "--json"))
    assert on_stage("monitor", number, "--json").document["changed"] is False
    assert "Still firing" in refused(on_stage("resolve", number))
    assert "--reason" in refused(on_stage("resolve", number, "--force"))
    assert "Forced resolution" in changed(
        on_stage("resolve", number, "All is well.", "--force", "--reason", "stale alert", "--by", "ann", "--json")
    )
    again = on_stage("resolve", number, "--by", "bob", "--json")
    assert again.status == 0
    assert "was already resolved by ann" in again.document["message"]
    assert "was resolved by ann" in refused(on_stage("monitor", number))
    assert "Reopened: it is back" in changed(on_stage("reopen", number, "--reason", "it is back", "--json"))
    assert opened.state().status is Status.INVESTIGATING


@pytest.mark.parametrize(
    "words",
    [
        ("severity", "1", ""),
        ("note", "1", ""),
        ("note", "1"),
        ("update", "1", "x", "--next", "--draft"),
        ("step", "1", "channel"),
        ("step", "1", "channel", "--retry", "--done"),
        ("decline", "1"),
        ("reopen", "1"),
        ("cancel", "1"),
        ("ack", "1", "--at", "lunch"),
        ("ack", "1", "--by", ""),
        ("ack", "1", "--timeout", "0"),
        ("watch", "1", "--until", "lunch"),
        ("watch", "1", "--once", "--until", "resolved"),
        ("timeline", "1", "--follow", "--json"),
        ("postmortem", "waive", "1"),
        ("dance", "1"),
    ],
)
def test_what_is_not_understood_is_exit_2_and_reaches_nobody(incident: Incidental, words: tuple[str, ...]) -> None:
    said = incident(*words)
    assert said.status == 2
    assert said.out == ""
    assert reason(said)


def test_a_severity_that_the_incident_does_not_have_is_refused_with_those_that_it_has(
    opened: Opened, on_stage: Incidental
) -> None:
    said = refused(on_stage("severity", opened.number, "sev1"))
    assert "has no severity SEV1: its runbook has P0, P1, P2, P3" in said


def test_a_machine_that_does_not_know_who_you_are(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid: int) -> Any:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    said = incident("ack", "1")
    assert said.status == 2
    assert "--by" in said.err


def test_hold_escalate_roles_and_private(opened: Opened, on_stage: Incidental) -> None:
    def done(*words: str) -> str:
        return changed(on_stage(words[0], opened.number, *words[1:], "--by", "ann", "--json"))

    assert "Update 2 held until" in done("hold", "10", "--reason", "numbers")
    assert "is already held until" in refused(on_stage("hold", opened.number, "10", "--reason", "numbers", "--json"))
    assert on_stage("hold", opened.number, "10").status == 2, "without a reason it is not sent"
    assert done("escalate", "--reason", "it spreads").startswith("Escalated to ")
    assert done("role", "scribe", "sue") == "Scribe: sue"
    assert done("role", "scribe", "tom") == "Scribe: tom, handed over by sue"
    assert on_stage("role", opened.number, "king", "sue").status == 2
    assert "Made private: keys" in done("private", "--reason", "keys")
    assert opened.state().private


def test_what_customers_must_not_read_is_refused_before_it_is_published(opened: Opened, on_stage: Incidental) -> None:
    said = refused(on_stage("update", opened.number, "db-1.eu.internal is down", "--json"))
    assert "Customers would see a host (db-1.eu.internal)" in said
    assert len(opened.state().updates.published) == 1


def test_81_a_review_is_for_drills(opened: Opened, on_stage: Incidental) -> None:
    said = refused(on_stage("review-drill", opened.number, "Paging works.", "--by", "ann", "--json"))
    assert f"INC-{opened.number} is not a drill" in said


def test_without_a_level_the_definitions_of_the_severities_are_shown(incident: Incidental) -> None:
    said = incident("severity", "1", "--by", "ann")
    assert (said.status, said.err) == (0, "")
    assert [line.partition(":")[0] for line in said.out.splitlines()] == [
        "P0 Critical",
        "P1 High",
        "P2 Medium",
        "P3 Low",
    ]


def test_without_a_level_json_is_json_and_a_broken_runbook_is_one_line(
    incident: Incidental, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, *_ = incident("severity", "1", "--by", "ann", "--json").document
    assert first["severity"] == "P0"
    broken = tmp_path / "runbook.yaml"
    broken.write_text("product: [", encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(broken))
    assert "not YAML" in refused(incident("severity", "1", "--by", "ann"))


def test_98_a_role_without_a_name_is_a_usage_error(opened: Opened, on_stage: Incidental) -> None:
    said = on_stage("role", opened.number, "commander")
    assert (said.status, said.out) == (2, "")
    assert "name the assignee, or use --unassign" in " ".join(said.err.split())
    assert on_stage("role", opened.number, "scribe", "sue").out == "Scribe: sue\n"
    assert on_stage("role", opened.number, "scribe", "--unassign").out == "Scribe unassigned (was sue)\n"


def test_95_by_and_the_assignee_are_named_as_in_the_directory(
    opened: Opened, on_stage: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path("runbook.yaml").read_text(encoding="utf-8")
    entries = "directory:\n    ann: {aliases: [al99]}\n    bob: {email: bob@example.com}\n"
    runbook = tmp_path / "runbook.yaml"
    runbook.write_text(text.replace("  directory: {}\n", f"  {entries}"), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(runbook))
    assert on_stage("role", opened.number, "scribe", "bob@example.com", "--by", "al99").out == "Scribe: bob\n"
    entry = opened.state().timeline[-1]
    assert [e.actor for e in opened.state().timeline if e.text == "Scribe: bob"] == ["ann"], entry
    runbook.write_text("not: a runbook\n  directory:\n", encoding="utf-8")
    assert on_stage("note", opened.number, "still works", "--by", "al99").status == 0, "a broken file stops nobody"


def test_65_merge_into_another_and_undo(opened: Opened, stage: Stage, on_stage: Incidental) -> None:
    other = stage.open()
    said = changed(on_stage("merge", other.number, "--into", opened.number, "--by", "ann", "--json"))
    assert f"Merged into INC-{opened.number}" in said
    opened.until(lambda incident: other.id in incident.merging.absorbed)
    assert f"merged into INC-{opened.number}" in on_stage("show", other.number).out, "its number stays findable"
    assert "incident unmerge" in refused(on_stage("ack", other.number, "--json"))
    changed(on_stage("unmerge", other.number, "--by", "ann", "--json"))
    opened.until(lambda incident: not incident.merging.absorbed)
    assert other.state().merging.into is None


def test_66_a_merge_into_a_resolved_incident_is_refused(opened: Opened, stage: Stage, on_stage: Incidental) -> None:
    other = stage.open()
    changed(on_stage("resolve", opened.number, "--force", "--reason", "x", "--by", "ann", "--json"))
    assert "reopen it first" in refused(on_stage("merge", other.number, "--into", opened.number, "--json"))
    assert not other.state().over


def test_9_similar_lists_the_same_alert_first_then_the_same_service(stage: Stage, on_stage: Incidental) -> None:
    first, same = stage.open(key="it's-back"), stage.open()
    changed(on_stage("cancel", first.number, "--reason", "x", "--by", "ann", "--json"))
    stage.do(first.handle.result())
    again = stage.open(key="it's-back")

    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = on_stage("similar", again.number, "--json").document
        return found

    for _ in range(50):  # visibility follows
        if {first.number, same.number} <= {str(row["number"]) for row in rows()}:
            break
        time.sleep(0.2)
    assert (str(rows()[0]["number"]), rows()[0]["why"]) == (first.number, "same alert")
    assert {row["why"] for row in rows()[1:]} == {"same service"}
    assert again.number not in {str(row["number"]) for row in rows()}
    assert "same alert" in on_stage("similar", again.number).out
