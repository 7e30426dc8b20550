"""Build the command to merge an incident into another: it needs to know the other."""

from collections.abc import Callable

from temporalio.client import Client

from incidents.client.lookup import incident
from incidents.client.problems import CommandFailed, IsPrivate
from incidents.domain.incident.commands import Merge
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.visibility import REFUSAL


async def build_merge(
    client: Client, into: str, by: str, reason: str, visible: Callable[[Incident], bool] = lambda _: True
) -> Merge:
    """Return the command.

    Args:
        client: of Temporal.
        into: the other incident's number or workflow id.
        by: who merges them.
        reason: why.
        visible: tells whether the sender may see the other one. By default they may, as an administrator.

    Raises:
        NotFound, NoAnswer: the other cannot be read.
        IsPrivate: the sender may not see the other.
        CommandFailed: it has no number yet.
    """
    other = await incident(client, into)
    if not visible(other):
        raise IsPrivate(REFUSAL)
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
