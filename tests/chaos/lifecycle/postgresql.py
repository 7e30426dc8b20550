"""Temporal's own server on PostgreSQL, as docker-compose.yml runs it: the same environment, scripts and configuration.

Its programs are not on PyPI. TEMPORAL_SERVER and TEMPORAL_SQL_TOOL name them: `cmd/server` and `cmd/tools/sql` of
go.temporal.io/server. TEMPORAL_SCHEMAS is its folder schema/postgresql/v12. PostgreSQL is Debian's.
"""

import contextlib
import os
import pwd
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.chaos.lifecycle.process import Process

NEEDED = ("TEMPORAL_SERVER", "TEMPORAL_SQL_TOOL", "TEMPORAL_SCHEMAS")
_SERVICES = ("MATCHING", "HISTORY", "WORKER")
_HIGHEST = 2**15
_USER = "temporal"
_PASSWORD = "chaos"
"""It opens a database that lives as long as the run, on the loopback address."""


def missing() -> str:
    """Return what is not there, or ""."""
    unset = [name for name in NEEDED if not Path(os.environ.get(name, "/nowhere")).exists()]
    return ", ".join([*unset, *(() if _folder() else ("PostgreSQL",))])


@contextlib.contextmanager
def passable_folder() -> Iterator[Path]:
    """A temporary folder in which PostgreSQL, which does not run as root, finds its own files."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


class PostgreSql:
    """One database server for one run, and the Temporal server on it."""

    def __init__(self, home: Path) -> None:
        """Choose ports. `home`: where the run keeps its files."""
        self._home = home / "postgresql"
        self.port, self._frontend, *self._others = _low_ports(4 + 2 * len(_SERVICES))

    @property
    def address(self) -> str:
        """Where clients find Temporal."""
        return f"127.0.0.1:{self._frontend}"

    def prepare(self) -> Process:
        """Make the cluster; return the process that serves it."""
        folder = _folder()
        assert folder is not None
        self._home.mkdir(parents=True)
        _own(self._home)
        password = self._home / "password"
        password.write_text(_PASSWORD, encoding="utf-8")
        words = ["initdb", "-D", "data", "--username", _USER, "--pwfile", "password", "--auth", "scram-sha-256"]
        _run(_as_postgres([str(folder / words[0]), *words[1:]]), self._home, os.environ)
        words = [str(folder / "postgres"), "-D", "data", "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self._home)]
        return Process(
            "postgresql",
            _as_postgres(words),
            os.environ,
            self._home.parent,
            said="ready to accept connections",
            folder=self._home,
        )

    def make_schemas(self) -> None:
        """Make Temporal's databases by the script that the compose file runs."""
        names = {"SQL_HOST": "127.0.0.1", "SQL_PORT": str(self.port), "SQL_USER": _USER, "SQL_PASSWORD": _PASSWORD}
        tools = self._home / "bin"
        tools.mkdir()
        (tools / "temporal-sql-tool").symlink_to(os.environ["TEMPORAL_SQL_TOOL"])
        path = os.pathsep.join([str(tools), os.environ["PATH"]])
        environment = {**os.environ, **names, "PATH": path, "SCHEMA_DIR": os.environ["TEMPORAL_SCHEMAS"]}
        _run(["sh", "deploy/setup-schema.sh"], Path.cwd(), environment)

    def temporal(self) -> Process:
        """Return the Temporal server's process."""
        names = [f"{service}_{port}_PORT" for service in _SERVICES for port in ("GRPC", "MEMBERSHIP")]
        ports = dict(zip(["FRONTEND_HTTP_PORT", "FRONTEND_MEMBERSHIP_PORT", *names], self._others, strict=True))
        environment = {
            **os.environ,
            **{name: str(port) for name, port in ports.items()},
            "FRONTEND_GRPC_PORT": str(self._frontend),
            "DB": "postgres12",
            "DB_PORT": str(self.port),
            "POSTGRES_SEEDS": "127.0.0.1",
            "POSTGRES_USER": _USER,
            "POSTGRES_PWD": _PASSWORD,
            "NUM_HISTORY_SHARDS": "64",
            "LOG_LEVEL": "warn",
            "DYNAMIC_CONFIG_FILE_PATH": str(Path("deploy/dynamicconfig.yaml").absolute()),
        }
        words = [os.environ["TEMPORAL_SERVER"], "--allow-no-auth", "start"]
        return Process("temporal", words, environment, self._home.parent, self._frontend)

    def make_namespace(self) -> None:
        """Make the namespace and its search attributes by the script that the compose file runs."""
        names = {"TEMPORAL_ADDRESS": self.address, "TEMPORAL_NAMESPACE": "default"}
        _run(["sh", "deploy/setup-namespace.sh"], Path.cwd(), {**os.environ, **names})


def _low_ports(count: int) -> list[int]:
    """Return ports that nobody listens on: Temporal keeps its own in a column of two bytes with a sign."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.SystemRandom().sample(range(10_000, _HIGHEST), k=_HIGHEST - 10_000):
            with contextlib.suppress(OSError):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError("no free ports")


def _folder() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest where there are several."""
    found = shutil.which("postgres")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


def _as_postgres(words: list[str]) -> list[str]:
    """Return the command as PostgreSQL takes it: it does not run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words] if os.getuid() == 0 else words


def _own(folder: Path) -> None:
    if os.getuid() == 0:
        postgres = pwd.getpwnam("postgres")
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)


def _run(words: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, done.stderr, file=sys.stderr)
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}")
