"""What holds for all tests."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from tests.support.determinism.worker_modes import DAY
from tests.support.dev_server import DevServer, running_dev_server

settings.register_profile("no-deadline", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("no-deadline")
os.environ.setdefault(DAY, str(datetime.now(UTC).toordinal()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: one that begins last would be waited for by an idle processor."""
    items.sort(key=lambda item: 0 if "rollback_killed" in item.nodeid else 1 if "tests/system/" in item.nodeid else 2)


@pytest.fixture(scope="session")
def dev_server() -> Iterator[DevServer]:
    """The development server of this process's tests."""
    with running_dev_server() as server:
        yield server
