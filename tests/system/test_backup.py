"""The backup of docs/operating.md, rehearsed: a dump of one PostgreSQL is loaded into a new one, by the commands there.

It holds rows of our own in Temporal's databases: Temporal's schema tool is in no package that this machine can install.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("initdb") is None, reason="PostgreSQL's programs are not installed")
_USER = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""
DATABASES = ("temporal", "temporal_visibility")


class Cluster:
    """A PostgreSQL as the image makes it: a superuser `temporal`, and an empty database of that name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str) -> str:
        """Run a shell command that finds the server by its socket."""
        done = subprocess.run(
            ["sh", "-c", command],
            env=os.environ | {"PGHOST": str(self.folder), "PGUSER": "temporal"},
            cwd=self.folder,
            user=_USER,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # a short path: that of a socket has a limit
        if _USER:
            shutil.chown(name, _USER)
        cluster = Cluster(Path(name))
        cluster.run("initdb -D data -U temporal --auth trust --no-sync")
        pg_ctl = f"{Path(os.path.realpath(shutil.which('initdb') or '')).parent}/pg_ctl"
        options = f"-c listen_addresses= -c unix_socket_directories={name} -c fsync=off"
        cluster.run(f"{pg_ctl} -D data -w -l log -o '{options}' start")
        try:
            cluster.run("createdb temporal")
            yield cluster
        finally:
            cluster.run(f"{pg_ctl} -D data -w -m immediate stop")


def documented(pattern: str) -> str:
    """Return the command of the documentation, without the container in which it runs there."""
    text = Path("docs/operating.md").read_text(encoding="utf-8")
    [found] = re.findall(pattern, text)
    return str(found)


def test_a_dump_is_loaded_into_an_empty_server() -> None:
    dump = documented(r"postgresql (pg_dumpall -U temporal) \\\| gzip")
    load = documented(r"exec -T postgresql (psql -U temporal -d postgres)`")
    with running_cluster() as old, running_cluster() as new:
        old.run("createdb temporal_visibility")
        for database in DATABASES:
            old.run(f"""psql -d {database} -c "CREATE TABLE kept AS SELECT 'incident-42' AS id" """)
        archive = new.folder / "temporal.sql.gz"
        old.run(f"{dump} | gzip > dump.gz")
        shutil.move(old.folder / "dump.gz", archive)
        new.run(f"gunzip -c {archive.name} | {load}")
        assert [new.run(f"psql -At -d {each} -c 'SELECT id FROM kept'") for each in DATABASES] == ["incident-42"] * 2
