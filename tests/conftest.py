"""What holds for all tests."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.support")  # before it is imported

from tests.support.determinism.worker_modes import DAY  # noqa: E402
from tests.support.servers.dev_server import WITHOUT_WORKERS, DevServer, running_dev_server  # noqa: E402
from tests.support.shares import in_shares  # noqa: E402

NO_DEADLOCK_DETECTOR = "TEMPORAL_DEBUG"
"""The SDK's variable. Our own settings do not read it."""

settings.register_profile("no-deadline", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("no-deadline")
os.environ.setdefault(DAY, str(datetime.now(UTC).toordinal()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: one that begins last would be waited for by an idle processor."""
    items.sort(key=lambda item: "lifecycle_chaos" not in item.nodeid)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = in_shares(items, workers, lambda item: "tests/system/" in item.nodeid, lambda item: item.path)


@pytest.fixture(scope="session", autouse=True)
def one_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One root certificate for all clients: each would read all of them, which takes longer than most tests."""
    path, end = tmp_path_factory.mktemp("tls") / "root.pem", "-----END CERTIFICATE-----\n"
    path.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_deadlock_detector() -> Iterator[None]:
    """Let workflow tasks take their time: on a busy machine a sound one takes the 2 s of the detector, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(NO_DEADLOCK_DETECTOR, "1")
        yield


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine answers late. Tests of how long a program waits for an answer set that themselves."""
    monkeypatch.setattr("incidents.client.asking.TIMEOUT", timedelta(seconds=30))


@pytest.fixture(scope="session")
def dev_server() -> Iterator[DevServer]:
    """The development server of this process's tests. Schedules and the versions of workers do nothing there."""
    with running_dev_server(WITHOUT_WORKERS) as server:
        yield server


@pytest.fixture(scope="session")
def whole_server() -> Iterator[DevServer]:
    """The same with the server's own workers for each namespace, which schedules and versions need."""
    with running_dev_server() as server:
        yield server
