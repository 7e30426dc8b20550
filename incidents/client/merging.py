"""Build the command to merge an incident into another: it needs to know the other."""

from temporalio.client import Client

from incidents.client.lookup import incident
from incidents.client.problems import CommandFailed
from incidents.domain.incident.commands import Merge


async def build_merge(client: Client, into: str, by: str, reason: str) -> Merge:
    """Return the command. `into`: the other incident's number or workflow id.

    Raises:
        NotFound, NoAnswer: the other cannot be read.
        CommandFailed: it has no number yet.
    """
    other = await incident(client, into)
    if other.number is None:
        raise CommandFailed(f"{other.name} has no number yet. Try again in a moment.")
    return Merge(
        by=by,
        into=other.number,
        workflow_id=other.workflow_id,
        reason=reason,
        target_status=other.status,
        target_drill=other.drill,
    )
