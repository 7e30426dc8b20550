"""One sandbox for all tests of a process, begun anew for each."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.server import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as started:
        yield started


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.reset()
    return running


@pytest.fixture(scope="session")
def connection(running: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=5, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def http(sandbox: RunningSandbox, connection: httpx.Client) -> httpx.Client:
    connection.cookies.clear()
    return connection
