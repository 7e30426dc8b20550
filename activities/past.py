"""Earlier incidents: releases that they suspected or that a responder flagged."""

from typing import Protocol

from temporalio.client import Client
from temporalio.service import RPCError

from incidents.vendors.http import one_line

_MOST = 500


class Past(Protocol):
    """Access to earlier incidents."""

    async def bad_releases(self, service: str, but: str) -> tuple[dict[str, str], str]:
        """Return each bad release of a service with its reason, and the read error or "".

        `but`: workflow id of the current incident, which is excluded.
        """


class PastIncidents:
    """Reads earlier incidents from visibility, as far back as the namespace's retention."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def bad_releases(self, service: str, but: str) -> tuple[dict[str, str], str]:
        """Query visibility. If that fails, return what was read and the error."""
        name = service.replace("'", "")
        query = f"WorkflowType = 'IncidentWorkflow' AND IncidentService = '{name}' AND IncidentBadReleases IS NOT NULL"
        found: dict[str, str] = {}
        try:
            async for run in self._client.list_workflows(query, limit=_MOST):
                if run.id == but:
                    continue
                known = {pair.key.name: pair.value for pair in run.typed_search_attributes}
                number = known.get("IncidentNumber")
                why = f"suspected or flagged in {f'INC-{number}' if number else run.id}"
                for version in known.get("IncidentBadReleases") or ():
                    found.setdefault(str(version), why)
        except RPCError as error:
            return found, f"earlier incidents unavailable ({one_line(error.message)})"
        return found, ""
