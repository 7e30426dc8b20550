"""The stage of tests/communication: virtual time, the real hands, the sandbox."""

from tests.communication.conftest import _sandbox, sandbox, stage

__all__ = ["_sandbox", "sandbox", "stage"]
