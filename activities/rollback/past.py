"""Earlier incidents: releases that they suspected or flagged, and deployments that their rollbacks verified."""

from typing import Protocol

from temporalio.client import Client
from temporalio.service import RPCError

from incidents.domain.core.base import Frozen
from incidents.search_attributes import BAD_RELEASES, DRILL, NUMBER, RESTORED, SERVICE
from incidents.vendors.http import one_line

_MOST = 500


class KnownReleases(Frozen):
    """What earlier incidents know: bad releases with the reason, and ids of the deployments that proved good.

    `problem`: why not everything could be read, or "".
    """

    bad: dict[str, str] = {}
    restored: tuple[str, ...] = ()
    problem: str = ""


class Past(Protocol):
    """Access to earlier incidents."""

    async def known_releases(self, service: str, workflow_id: str, number: int | None) -> KnownReleases:
        """Return the bad releases of a service, and the deployments that verified rollbacks of any service made.

        `workflow_id` and `number`: the current incident, which is excluded. Its workflow id alone does not tell it from
        an earlier incident of the same correlation key.
        """


class PastIncidents:
    """Reads earlier incidents from visibility, as far back as the namespace's retention."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def known_releases(self, service: str, workflow_id: str, number: int | None) -> KnownReleases:
        """Query visibility. If that fails, return what was read and the error."""
        name = service.replace("'", "")
        query = (
            f"WorkflowType = 'IncidentWorkflow' AND ({DRILL.name} IS NULL OR {DRILL.name} = false)"
            f" AND (({SERVICE.name} = '{name}' AND {BAD_RELEASES.name} IS NOT NULL) OR {RESTORED.name} IS NOT NULL)"
        )
        bad: dict[str, str] = {}
        restored: list[str] = []
        try:
            async for run in self._client.list_workflows(query, limit=_MOST):
                known = {pair.key.name: pair.value for pair in run.typed_search_attributes}
                if (run.id, known.get(NUMBER.name)) == (workflow_id, number):
                    continue
                restored += [str(deployment) for deployment in known.get(RESTORED.name) or ()]
                if known.get(SERVICE.name) != service:
                    continue
                number = known.get(NUMBER.name)
                why = f"suspected or flagged in {f'INC-{number}' if number else run.id}"
                for version in known.get(BAD_RELEASES.name) or ():
                    bad.setdefault(str(version), why)
        except RPCError as error:
            problem = f"earlier incidents unavailable ({one_line(error.message)})"
            return KnownReleases(bad=bad, restored=tuple(restored), problem=problem)
        return KnownReleases(bad=bad, restored=tuple(restored))
