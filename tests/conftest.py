"""What holds for all tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: one that begins last would be waited for by an idle processor."""
    items.sort(key=lambda item: 0 if "rollback_killed" in item.nodeid else 1 if "tests/system/" in item.nodeid else 2)
