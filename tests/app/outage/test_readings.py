"""What the polls that Temporal lists say of the workers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.liveness.task_queues import POLL
from incidents.app.outage.readings import PollerSource, TemporalSource

T0 = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
WORKFLOW, ACTIVITY = "workflow", "activity"
AWAY = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
DENIED = RPCError("no", RPCStatusCode.PERMISSION_DENIED, b"")
Polls = dict[str, int]


class Scripted(PollerSource):
    """Reads these polls, or raises, once for each round; the last one again and again."""

    def __init__(self, *answers: Polls | RPCError) -> None:
        client: Any = None
        super().__init__(client, "incidents")
        self._answers: Iterator[Polls | RPCError] = iter(answers)
        self._last: Polls | RPCError = {}

    async def _newest_polls(self) -> Polls:
        self._last = next(self._answers, self._last)
        if isinstance(self._last, RPCError):
            raise self._last
        return self._last


async def failing_since(source: PollerSource | TemporalSource, at: datetime) -> datetime | None:
    [reading] = await source.read(at)
    return reading.failing_since


async def test_109_workers_poll_as_long_as_the_newest_poll_changes() -> None:
    source = Scripted({WORKFLOW: 1, ACTIVITY: 1}, {WORKFLOW: 2, ACTIVITY: 2})
    assert await failing_since(source, T0) is None
    changed = T0 + timedelta(seconds=60)
    assert await failing_since(source, changed) is None
    assert await failing_since(source, changed + POLL) is None
    assert await failing_since(source, changed + POLL + timedelta(seconds=1)) == changed


@pytest.mark.parametrize("polls", [{}, {WORKFLOW: 1}, {ACTIVITY: 1}, {WORKFLOW: 0, ACTIVITY: 1}])
async def test_109_workers_must_poll_for_workflows_and_activities(polls: Polls) -> None:
    source = Scripted(polls)
    assert await failing_since(source, T0) == T0
    assert await failing_since(source, T0 + timedelta(seconds=15)) == T0


async def test_109_while_temporal_was_away_no_worker_could_poll() -> None:
    source = Scripted({WORKFLOW: 1, ACTIVITY: 1}, AWAY, {WORKFLOW: 1, ACTIVITY: 1})
    assert await failing_since(source, T0) is None
    assert await source.read(T0 + timedelta(minutes=5)) == [], "nothing is known"
    assert await failing_since(source, T0 + timedelta(minutes=10)) is None, "it counts from Temporal's return"


async def test_109_that_workers_cannot_be_watched_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted(DENIED)
    assert await source.read(T0) == await source.read(T0) == []
    [warning] = caplog.messages
    assert warning == "Whether workers poll is not watched: Temporal answered PERMISSION_DENIED"


def temporal(*, health: RPCError | None = None, database: RPCError | None = None) -> TemporalSource:
    """A server that is healthy or not, with or without its database."""
    client: Any = SimpleNamespace(
        service_client=SimpleNamespace(check_health=AsyncMock(side_effect=health)),
        workflow_service=SimpleNamespace(get_cluster_info=AsyncMock(side_effect=database)),
    )
    return TemporalSource(client)


async def test_109_temporal_without_its_database_is_out() -> None:
    assert await failing_since(temporal(), T0) is None
    for source in (temporal(health=AWAY), temporal(database=AWAY)):
        assert await failing_since(source, T0) == T0
        assert await failing_since(source, T0 + timedelta(seconds=15)) == T0
    assert await failing_since(temporal(database=DENIED), T0) is None, "it answers"
