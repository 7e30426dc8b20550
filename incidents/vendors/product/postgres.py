"""The product's PostgreSQL, asked the runbook's five diagnosis queries (docs/vendor-notes.md#product). It is a replica
that is asked.

The session is read-only and each query has a time limit, both enforced by the server, so that a look at an ailing
database does not make it worse.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from incidents.vendors.access.access import Access
from incidents.vendors.errors import VendorRejected, VendorUnauthorized, VendorUnavailable
from incidents.vendors.http import one_line

QUERIES: dict[str, str] = {
    "alive": "SELECT 1 AS alive",
    "connections": "SELECT count(*) AS connections FROM pg_stat_activity",
    "connections by state": (
        "SELECT state, wait_event_type, wait_event, count(*) AS connections FROM pg_stat_activity"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC"
    ),
    "longest queries": (
        "SELECT pid, now() - query_start AS running_for, state, left(query, 120) AS query FROM pg_stat_activity"
        " WHERE state <> 'idle' ORDER BY 2 DESC NULLS LAST LIMIT 20"
    ),
    "replication": (
        "SELECT pg_is_in_recovery() AS in_recovery, CASE WHEN pg_is_in_recovery() THEN"
        " pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn"
    ),
}


class Diagnostics:
    """A replica's database. `timeout` (seconds) is for the connection and for each query."""

    def __init__(self, url: str, timeout: float = 5) -> None:
        self._url, self._timeout = url, timeout

    def check_access(self) -> Access:
        """Connect, and ask the cheapest query."""
        self._run({"alive": QUERIES["alive"]})
        return Access()

    def run(self) -> dict[str, Any]:
        """The answer to each query by its name; a query that fails leaves its error there.

        Raises:
            VendorError: the database cannot be reached at all.
        """
        return self._run(QUERIES)

    def _run(self, queries: dict[str, str]) -> dict[str, Any]:
        limit = int(self._timeout * 1000)
        options = f"-c default_transaction_read_only=on -c statement_timeout={limit}"
        try:
            with psycopg.connect(
                self._url,
                options=options,
                connect_timeout=max(2, int(self._timeout)),
                autocommit=True,
                application_name="incident-runbook",
            ) as connection:
                return {name: _ask(connection, query) for name, query in queries.items()}
        except psycopg.OperationalError as error:
            text = one_line(str(error), [self._url, _password(self._url)])
            refused = "password authentication" in text or "no pg_hba.conf" in text
            cls = VendorUnauthorized if refused else VendorUnavailable
            raise cls("postgres", "connect", text, code="connect") from None
        except psycopg.Error as error:
            text = one_line(str(error), [self._url, _password(self._url)])
            raise VendorRejected("postgres", "connect", text, code="refused") from None


def _ask(connection: psycopg.Connection[Any], query: str) -> Any:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            # The queries are the constants above, so no injection can come of their text.
            return [dict(row) for row in cursor.execute(query.encode()).fetchall()]
    except psycopg.Error as error:
        return {"error": one_line(str(error))}


def _password(url: str) -> str:
    try:
        return str(psycopg.conninfo.conninfo_to_dict(url).get("password") or "\0")
    except psycopg.Error:
        return "\0"
