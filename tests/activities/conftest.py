"""The real hands with the vendors' real SDKs, against the sandbox."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.hands import Hands
from sandbox.server import RunningSandbox, running_sandbox
from settings import load_settings
from wiring import make_hands


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
def hands(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Hands:
    """Every hand, wired by the environment as the worker's are."""
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EVIDENCE_URL", tmp_path.as_uri())
    monkeypatch.setenv("HTTP_TIMEOUT_SECONDS", "2")
    return make_hands(load_settings(), Mock(spec=Client))


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """Every hand without any credentials."""
    return make_hands(load_settings(), Mock(spec=Client))


def perform(method: Callable[..., Any], effect: Any, attempt: int = 1, **info: Any) -> Any:
    """Run an activity as Temporal would, as that attempt."""
    env = ActivityEnvironment()
    env.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=attempt, **info)
    return env.run(method, effect)
