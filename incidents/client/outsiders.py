"""Commands from where anyone may send them: a private incident takes them from those only who may see it."""

import uuid
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution

from incidents.client.asking import ask
from incidents.client.commands import Sent, record_refusal, send
from incidents.client.lookup import handle_of, label
from incidents.client.problems import IsPrivate
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.visibility import is_from_its_channel, may_see
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.names import INCIDENT_QUERY, INCIDENT_WORKFLOW, POSTMORTEM_QUERY


class OutsideCommands:
    """Sends commands of people who have not proved that they may see the incident.

    The workflow decides, also later, when no worker answers now. It knows no directory of people: whom it does not
    know by name is looked up here.
    """

    def __init__(self, runbook: RunbookConfig, people: PeopleDirectory) -> None:
        self._runbook, self._people = runbook, people

    def may_act(self, state: Incident, by: str, channel_id: str) -> bool:
        """Tell whether a person may act on an incident from that channel."""
        return is_from_its_channel(state, channel_id) or may_see(state, by, self._runbook, self._people)

    async def send(self, client: Client, run: WorkflowExecution, command: Command, answer_within: timedelta) -> Sent:
        """Send a command, which has an origin unless its sender may see every incident.

        Raises:
            IsPrivate: the sender may not see the incident. It is recorded in the timeline.
            CommandFailed: as of `incidents.client.commands.send`.
        """
        command = command.replace(id=command.id or str(uuid.uuid4()))
        permissions = self._runbook.people.authorized
        try:
            return await send(client, run, command, answer_within, permissions)
        except IsPrivate as refusal:
            if await self._knows(client, run, command):
                return await send(client, run, command.replace(origin=None), answer_within, permissions)
            await record_refusal(client, run, command, f"{command.by} may not see it", answer_within)
            raise refusal from None

    async def _knows(self, client: Client, run: WorkflowExecution, command: Command) -> bool:
        """Tell whether the directory knows the sender as one who may see the incident."""
        origin = command.origin
        if origin is None or not origin.by_person:
            return False
        return may_see(await _state_of(client, run), command.by, self._runbook, self._people)


async def _state_of(client: Client, run: WorkflowExecution) -> Incident:
    """Return the incident of a run, which is its own or its post-mortem's."""
    handle = handle_of(client, run)
    if run.workflow_type == INCIDENT_WORKFLOW:
        state: Incident = await ask(handle, INCIDENT_QUERY, Incident, label(run))
        return state
    postmortem: Postmortem = await ask(handle, POSTMORTEM_QUERY, Postmortem, label(run))
    return postmortem.incident
