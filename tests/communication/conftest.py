"""A fresh time-skipping server and a fresh sandbox for each test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from activities.numbers import Numbers
from incidents.app.composition.activities import build_activities
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import Settings, load_settings
from incidents.domain.customers.config import CustomersSection
from incidents.domain.customers.directory import CustomerDirectory
from incidents.rehearsal.server import quiet_client, skipping_server
from sandbox.server import RunningSandbox, running_sandbox
from tests.support.communication.environment import Stage, with_digest
from tests.support.environment import QUEUE
from tests.support.fake_activities import FakeActivities
from tests.support.incidents import RUNBOOK


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    """The sandbox as new; real time again when the test is over."""
    _sandbox.reset()
    yield _sandbox
    _sandbox.clock(None)


@pytest.fixture
def customers() -> CustomersSection:
    """The customers of the runbook: none, unless a test has others."""
    return CustomersSection()


@pytest.fixture
def converter() -> DataConverter:
    """What reads and writes payloads: without encryption, unless a test has keys."""
    return pydantic_data_converter


@pytest.fixture
async def stage(
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    customers: CustomersSection,
    converter: DataConverter,
) -> AsyncIterator[Stage]:
    """A stage whose worker runs, with every integration on."""
    async with standing(sandbox, monkeypatch, tmp_path, customers, converter) as stage, stage.worker():
        yield stage


@asynccontextmanager
async def standing(
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    customers: CustomersSection | None = None,
    converter: DataConverter = pydantic_data_converter,
    **environment: str,
) -> AsyncIterator[Stage]:
    """A stage without a worker; `environment` changes what the sandbox says."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    fixed = {"EVIDENCE_URL": (tmp_path / "evidence").as_uri(), "HTTP_TIMEOUT_SECONDS": "9"}
    for name, value in (sandbox.environment() | fixed | environment).items():
        monkeypatch.setenv(name, value)
    # A pause after a 429 takes real time, and virtual time does not wait for it.
    monkeypatch.setattr("incidents.vendors.pauses.LONGEST", timedelta())
    settings = load_settings()
    async with skipping_server(converter) as env:
        known = customers or CustomersSection()
        activities = build_activities(settings, quiet_client(env.client), RUNBOOK, customers=CustomerDirectory(known))
        activities = activities.__class__(**{**vars(activities), "numbers": Numbers(env.client, QUEUE)})
        runbook = with_digest(load_runbook(settings), sandbox).replace(customers=known.without_addresses())
        yield Stage(
            env=env, activities=FakeActivities(), runbook=runbook, sandboxed=False, sandbox=sandbox, real=activities
        )
