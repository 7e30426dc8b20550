"""What earlier incidents know: the releases that they suspected, or that a responder flagged in them."""

from typing import Protocol

from temporalio.client import Client
from temporalio.service import RPCError

from incidents.vendors.http import one_line

_MOST = 500


class Past(Protocol):
    """Whoever remembers earlier incidents."""

    async def bad_releases(self, service: str, but: str) -> tuple[dict[str, str], str]:
        """Return version and reason of each bad release of a service, and what kept it from being read, if anything.

        `but`: the workflow id of the incident that asks.
        """


class PastIncidents:
    """Remembers by Temporal's visibility: as far back as the namespace's retention reaches."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def bad_releases(self, service: str, but: str) -> tuple[dict[str, str], str]:
        """Ask visibility. A server that cannot answer hides nothing: the reason is said."""
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
            return found, f"earlier incidents could not be read ({one_line(error.message)})"
        return found, ""
