"""The diagnosis of a real PostgreSQL: read-only, with a time limit, and no password in what it says."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from incidents.vendors.errors import VendorUnauthorized, VendorUnavailable
from incidents.vendors.product import postgres
from incidents.vendors.product.postgres import QUERIES, Diagnostics
from sandbox.temporal_server import free_port


def program(name: str) -> str | None:
    """Debian keeps the server's programs out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


pytestmark = pytest.mark.skipif(program("initdb") is None, reason="PostgreSQL is not installed (.ci/run installs it)")


def as_postgres(*words: str) -> None:
    """PostgreSQL refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(words, check=True, capture_output=True, cwd="/", user=user, group=user)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A database of its own, with a password."""
    home = Path("/tmp") / f"incident-postgres-{free_port()}"
    home.mkdir()
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    secret = home / "password"
    secret.write_text("pa55word", encoding="utf-8")
    secret.chmod(0o644)
    port, data = free_port(), home / "data"
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    assert initdb is not None
    assert pg_ctl is not None
    as_postgres(initdb, "-D", str(data), "-U", "fs", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    as_postgres(pg_ctl, "-D", str(data), "-o", options, "-l", str(home / "log"), "-w", "start")
    try:
        yield f"postgresql://fs:pa55word@127.0.0.1:{port}/postgres"
    finally:
        as_postgres(pg_ctl, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def test_the_five_queries_are_answered(url: str) -> None:
    found = Diagnostics(url).run()
    assert list(found) == list(QUERIES)
    assert len(found) == 5
    assert found["alive"] == [{"alive": 1}]
    assert found["connections"][0]["connections"] >= 1
    assert found["replication"][0]["in_recovery"] is False
    assert any("pg_stat_activity" in row["query"] for row in found["longest queries"]), "it sees itself"


def test_it_can_write_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUERIES, "alive", "CREATE TABLE harm (id int)")
    found = Diagnostics(url).run()
    assert "read-only transaction" in found["alive"]["error"]
    assert found["connections"][0]["connections"] >= 1, "one that fails stops no other"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('harm')").fetchone() == (None,)


def test_a_query_that_takes_too_long_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "QUERIES", {"slow": "SELECT pg_sleep(60)"})
    assert "statement timeout" in Diagnostics(url, timeout=0.2).run()["slow"]["error"]


def test_a_wrong_password_is_said_and_not_shown(url: str) -> None:
    with pytest.raises(VendorUnauthorized) as refused:
        Diagnostics(url.replace("pa55word", "s3cret-wrong")).run()
    assert "password authentication failed" in str(refused.value)
    assert "s3cret-wrong" not in str(refused.value)


def test_a_database_that_is_not_there_is_tried_again(url: str) -> None:
    with pytest.raises(VendorUnavailable) as gone:
        Diagnostics(f"postgresql://fs:pa55word@127.0.0.1:{free_port()}/postgres").run()
    assert gone.value.retryable
    assert "pa55word" not in str(gone.value)
