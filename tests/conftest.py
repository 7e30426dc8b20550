"""What holds for all tests."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from tests.support.determinism.worker_modes import DAY

settings.register_profile("no-deadline", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("no-deadline")
os.environ.setdefault(DAY, str(datetime.now(UTC).toordinal()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: one that begins last would be waited for by an idle processor."""
    items.sort(key=lambda item: 0 if "rollback_killed" in item.nodeid else 1 if "tests/system/" in item.nodeid else 2)
