"""Every command on a real server: what it answers, and what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.domain.incident.checklist import Step
from incidents.domain.incident.parts import Status
from incidents.domain.rollback.state import RollbackStatus
from tests.cli.conftest import Incidental, Opened, Stage, changed, numbered, refused
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
    assert "complete outage: All flags fail." in changed(
        on_stage("assess", opened.number, "All flags fail.", *words, "--json")
    )
    assessment = opened.state().assessment
    assert assessment is not None
    assert (assessment.customers, assessment.services) == (("ACME", "Globex"), ("api",))
    assert (assessment.complete_outage, assessment.title) == (True, "Flags fail")


def test_severity(opened: Opened, on_stage: Incidental) -> None:
    said = on_stage("severity", opened.number, "p1", "--reason", "one region", "--by", "ann", "--json")
    assert "Severity P0 → P1 (one region)" in changed(said)
    assert f"INC-{opened.number} is P1 already" in refused(on_stage("severity", opened.number, "P1", "--json"))


def test_updates_now_next_and_draft(opened: Opened, on_stage: Incidental) -> None:
    before = len(opened.state().updates)
    assert "manual" in changed(on_stage("update", opened.number, "We are on it.", "--json"))
    changed(on_stage("update", opened.number, "A fix is out.", "--next", "--json"))
    changed(on_stage("update", opened.number, "We are abou", "--draft", "--json"))
    state = opened.state()
    assert [update.text for update in state.updates[before:]] == ["We are on it."]
    assert (state.next_words, state.draft) == ("A fix is out.", "We are abou")


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
    stage.hands.final_faults["open_channel"] = "invalid_auth"
    try:
        opened = stage.open()
        opened.until(lambda incident: incident.step(Step.CHANNEL).status == "failed")
    finally:
        del stage.hands.final_faults["open_channel"]
    assert "channel: " in changed(on_stage("step", opened.number, "channel", *how, "--by", "ann", "--json"))
    opened.until(lambda incident: incident.step(Step.CHANNEL).status == then)
    assert "did not fail" in refused(on_stage("step", opened.number, "timer", "--retry"))


@pytest.fixture
def offered(stage: Stage) -> Any:
    """A P0 with rollbacks of two clusters on offer, none of which ends while the test looks."""
    stage.hands.offers = (an_offer(datetime.now(UTC)), an_offer(datetime.now(UTC), "us-001"))
    opened = stage.open()
    stage.hands.offers = ()
    opened.until(lambda incident: len(incident.rollbacks) == 2)
    return opened


def test_one_cluster_is_rolled_back_and_the_other_declined(offered: Opened, on_stage: Incidental) -> None:
    number = offered.number
    said = on_stage("rollback", number, "--cluster", "eu-001", "--by", "ann", "--json")
    assert changed(said) == "Rollback of eu-001 approved by ann"
    said = on_stage("decline", number, "--reason", "it is fine", "--by", "ann", "--json")
    assert changed(said) == "Rollback of us-001 declined by ann: it is fine"
    assert "No rollback is waiting for a decision" in refused(on_stage("decline", number, "--reason", "x"))
    first, second = offered.state().rollbacks
    assert first.status is not RollbackStatus.OFFERED
    assert second.status is RollbackStatus.DECLINED
    assert "does not run on cluster mars" in refused(on_stage("rollback", number, "--cluster", "mars"))


def test_approve(offered: Opened, on_stage: Incidental) -> None:
    said = on_stage("approve", offered.number, "--cluster", "us-001", "--by", "ann", "--json")
    assert changed(said) == "Rollback of us-001 approved by ann"
    assert offered.state().rollbacks[1].decided_by == "ann"


def test_nothing_to_roll_back(opened: Opened, on_stage: Incidental) -> None:
    for words in (("approve",), ("verdict", "healthy"), ("decline", "--reason", "x")):
        told = on_stage(words[0], opened.number, *words[1:])
        assert "No rollback offered" in refused(told)
    assert "Nothing to roll forward" in refused(on_stage("rollback", opened.number, "--forward"))
    said = changed(on_stage("rollback", opened.number, "--by", "ann", "--json"))
    assert said == "Rollback requested by ann: searching the deployment history"


def test_a_verdict_is_one_of_two_words(opened: Opened, on_stage: Incidental) -> None:
    said = on_stage("verdict", opened.number, "maybe")
    assert (said.status, said.out) == (2, "")
    assert "use healthy or unhealthy" in said.err


def test_flag(opened: Opened, on_stage: Incidental) -> None:
    said = changed(on_stage("flag", opened.number, "v3", "--reason", "leaks", "--by", "ann", "--json"))
    assert said == "v3 flagged as bad: leaks"
    assert [flag.version for flag in opened.state().flags] == ["v3"]


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
    assert [c.restored for c in opened.state().confirmations] == [False, True]


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
    assert "Usage" in said.err or "Error" in said.err


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

    assert "is held back until" in done("hold", "10", "--reason", "numbers")
    assert "held back already" in refused(on_stage("hold", opened.number, "10", "--reason", "numbers", "--json"))
    assert on_stage("hold", opened.number, "10").status == 2, "without a reason it is not sent"
    assert done("escalate", "--reason", "it spreads").startswith("Escalated to ")
    assert done("role", "scribe", "sue") == "Scribe: sue"
    assert done("role", "scribe", "tom") == "Scribe: tom, handed over by sue"
    assert on_stage("role", opened.number, "king", "sue").status == 2
    assert "Private from now on: keys" in done("private", "--reason", "keys")
    assert opened.state().private


def test_what_customers_must_not_read_is_refused_before_it_is_published(opened: Opened, on_stage: Incidental) -> None:
    said = refused(on_stage("update", opened.number, "db-1.eu.internal is down", "--json"))
    assert "Customers would read a host (db-1.eu.internal)" in said
    assert len(opened.state().updates) == 1
