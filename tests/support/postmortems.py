"""The post-mortem of the one incident under test: its process, and how people fill it."""

from typing import Any

from temporalio.client import WorkflowHandle

from incidents.domain.core.command import Command, Receipt
from incidents.domain.postmortem import commands as l
from incidents.domain.postmortem.obligations.registry import spec_of
from incidents.domain.postmortem.postmortem import Postmortem
from tests.support.environment import World, result_of
from tests.support.incidents import WRITTEN
from workflows.postmortem import PostmortemWorkflow


def process(world: World) -> WorkflowHandle[Any, Postmortem]:
    """Its process."""
    return world.env.client.get_workflow_handle_for(PostmortemWorkflow.run, "postmortem-1")


async def state(world: World) -> Postmortem:
    """It, as it stands."""
    return await process(world).query(PostmortemWorkflow.postmortem)


async def quiet(world: World) -> None:
    """Wait until the process has done all that is due, but for looks, which last."""
    await world.settled()
    pauses = world.pauses(process(world).id)
    for _ in range(200):
        await pauses.next()
        owed = await process(world).query(PostmortemWorkflow.agenda)
        now = await world.now()
        if not [obligation for obligation in owed if obligation.due <= now and not spec_of(obligation).poll]:
            return
    raise AssertionError(f"the post-mortem's obligations are not done: {owed}")


async def tell(world: World, command: Command) -> Receipt:
    """Send it a command."""
    receipt: Receipt = await process(world).execute_update(command.name, command, result_type=Receipt)
    return receipt


async def written(world: World) -> None:
    """Have everything written that a document needs."""
    await tell(world, l.EditDocument(by="ann", **WRITTEN.model_dump(exclude={"items"})))


async def publish(world: World) -> Receipt:
    """Fill and publish it."""
    await written(world)
    await quiet(world)
    receipt = await tell(world, l.PublishPostmortem(by="ann", url="https://docs.example/pm-1"))
    await quiet(world)
    return receipt


async def ended(world: World) -> Postmortem:
    """Fill, publish and review it, and wait for its end."""
    await publish(world)
    await tell(world, l.RecordReview(by="ann", outcome="Read by all."))
    return await result_of(process(world))
