"""The real activities with the vendors' real SDKs, against the sandbox."""

import asyncio
import dataclasses
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.registry import ActivitySet
from incidents.app.composition.activities import build_activities
from incidents.app.settings import Settings, load_settings
from incidents.domain.customers.directory import NO_CUSTOMERS, CustomerDirectory
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from sandbox.server import RunningSandbox, running_sandbox
from tests.support.incidents import PROBE_VARIABLES, RUNBOOK


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_sandbox: RunningSandbox) -> RunningSandbox:
    """The sandbox, as new."""
    _sandbox.reset()
    return _sandbox


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., ActivitySet]:
    """Makes every activity as the worker does, from this environment and no other."""

    def make(
        people: PeopleDirectory = NOBODY, customers: CustomerDirectory = NO_CUSTOMERS, **environment: str
    ) -> ActivitySet:
        for name in PROBE_VARIABLES:  # read when a probe is sent
            monkeypatch.setenv(name, environment.pop(name, ""))
        with monkeypatch.context() as patch:
            for name in Settings.model_fields:
                patch.delenv(name.upper(), raising=False)
            patch.setenv("EVIDENCE_URL", tmp_path.as_uri())
            patch.setenv("HTTP_TIMEOUT_SECONDS", "2")
            for name, value in environment.items():
                patch.setenv(name, value)
            return build_activities(load_settings(), forgetful(), RUNBOOK, people, customers)

    return make


def forgetful() -> Client:
    """A Temporal client that knows of no earlier incident and no recorder."""
    client = Mock(spec=Client)

    async def nothing(*_: Any, **__: Any) -> AsyncIterator[Any]:
        none: tuple[Any, ...] = ()
        for execution in none:
            yield execution

    client.list_workflows = nothing
    client.get_schedule_handle.side_effect = RPCError("no such schedule", RPCStatusCode.NOT_FOUND, b"")
    return client


@pytest.fixture
def activities(sandbox: RunningSandbox, wired: Callable[..., ActivitySet]) -> ActivitySet:
    """Every activity with the sandbox's credentials. Evidence goes to `tmp_path`."""
    return wired(**sandbox.environment())


@pytest.fixture
def idle(wired: Callable[..., ActivitySet]) -> ActivitySet:
    """Every activity without any credentials."""
    return wired()


def perform(method: Callable[..., Any], effect: Any, attempt: int = 1, **info: Any) -> Any:
    """Run an activity as Temporal would, as that attempt."""
    env = ActivityEnvironment()
    env.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=attempt, **info)
    found: Any = env.run(method, effect)
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def failed(method: Callable[..., Any], effect: Any, attempt: int = 1) -> ApplicationError:
    """Run an activity that fails; the error is what Temporal sees."""
    with pytest.raises(ApplicationError) as caught:
        perform(method, effect, attempt)
    return caught.value


def operations(sandbox: RunningSandbox, vendor: str) -> list[str]:
    """The vendor's effects in order."""
    return [str(row["operation"]) for row in sandbox.ledger(vendor)]
