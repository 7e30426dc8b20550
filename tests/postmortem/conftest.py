"""The stage of tests/communication: virtual time, the real activities, the sandbox."""

from tests.communication.conftest import _sandbox, converter, customers, sandbox, stage

__all__ = ["_sandbox", "converter", "customers", "sandbox", "stage"]
