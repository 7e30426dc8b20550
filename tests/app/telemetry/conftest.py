"""Logs as a process has them that runs no command: the command line quiets the SDK's, for good."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def sdk_is_heard() -> Iterator[None]:
    """Let the SDK's logger pass what its parent does, and restore it."""
    logger = logging.getLogger("temporalio")
    before = logger.level
    logger.setLevel(logging.NOTSET)
    yield
    logger.setLevel(before)
