"""The sandbox, settings that point at it, a clock that only the test moves, and what the operators received."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.app.settings import Settings, load_settings
from incidents.vendors import call_results
from incidents.vendors.call_results import CallResults
from sandbox.server import RunningSandbox, running_sandbox
from tests.support.environment import QUEUE


class Clock:
    """Shows the same time until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


class Received:
    """What the operators received by each channel."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox

    @property
    def mails(self) -> list[str]:
        """The subjects of the mails."""
        return [mail["subject"] for mail in self._rows("sendgrid", "mail.send")]

    @property
    def messages(self) -> list[str]:
        """The first lines of the direct messages."""
        return [message["text"].splitlines()[0].strip("*") for message in self._rows("slack", "chat.postMessage")]

    @property
    def texts(self) -> str:
        """All that was written to them."""
        mails = [mail["text"] for mail in self._rows("sendgrid", "mail.send")]
        return "\n".join([*mails, *(message["text"] for message in self._rows("slack", "chat.postMessage"))])

    def _rows(self, vendor: str, operation: str) -> list[dict[str, Any]]:
        return [row["payload"] for row in self._sandbox.ledger(vendor) if row["operation"] == operation]


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
def received(sandbox: RunningSandbox) -> Received:
    return Received(sandbox)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in (sandbox.environment() | {"TEMPORAL_TASK_QUEUE": QUEUE, "HTTP_TIMEOUT_SECONDS": "2"}).items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the watches and of the recorded calls, of which there are none yet."""
    clock = Clock()
    monkeypatch.setattr(call_results, "CALLS", CallResults(clock))
    return clock
