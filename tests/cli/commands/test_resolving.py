"""89: `incident resolve` during a rollback, as it is typed and read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Timer

import pytest

from incidents.domain.rollback.verification import Verdict
from tests.cli.conftest import Incidental, Opened, Stage
from tests.support.fake_activities import an_offer


@pytest.fixture
def rolling_back(stage: Stage, on_stage: Incidental) -> Iterator[Opened]:
    """An incident whose rollback is being verified; the rollbacks' lock is free again afterwards."""
    activities = stage.activities
    activities.offers, activities.hold["verify_region"] = (an_offer(datetime.now(UTC)),), Event()
    opened = stage.open()
    opened.until(lambda incident: bool(incident.rollback.clusters))
    assert on_stage("approve", opened.number).status == 0
    opened.until(lambda incident: incident.rollback.clusters[0].ordered)
    yield opened
    activities.hold.pop("verify_region").set()
    opened.until(lambda incident: not incident.rollback.clusters[0].status.under_way)
    activities.offers, activities.verdict = (), Verdict.HEALTHY


def finish(stage: Stage, verdict: Verdict) -> None:
    """Let the verification end in a second."""
    stage.activities.verdict = verdict
    Timer(1, stage.activities.hold["verify_region"].set).start()


def test_89_a_waiting_resolve_exits_0_once_resolved(stage: Stage, rolling_back: Opened, on_stage: Incidental) -> None:
    finish(stage, Verdict.HEALTHY)
    said = on_stage("resolve", rolling_back.number, "--force", "--reason", "quiet", "--wait")
    assert said.out.startswith("Not resolved yet: the rollback of eu-001 is ")
    assert f"`incident resolve {rolling_back.number} --now` does not wait." in said.out
    assert (said.status, said.err) == (0, "")
    assert rolling_back.state().status == "resolved"


def test_89_a_waiting_resolve_exits_1_if_it_falls_through(
    stage: Stage, rolling_back: Opened, on_stage: Incidental
) -> None:
    finish(stage, Verdict.UNHEALTHY)
    said = on_stage("resolve", rolling_back.number, "--force", "--reason", "quiet", "--wait")
    assert said.status == 1
    assert "Not resolved: the rollback of eu-001 failed verification." in said.why


def test_89_now_does_not_wait(rolling_back: Opened, on_stage: Incidental) -> None:
    said = on_stage("resolve", rolling_back.number, "--now", "--force", "--reason", "customers are fine")
    assert said.out == "Resolved without waiting for the rollback of eu-001: customers are fine\n"
    assert rolling_back.state().status == "resolved"
