"""What the Slack app asks of Temporal, each answer as one message, also for errors."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription
from temporalio.service import RPCError

from incidents.client.asking import ask
from incidents.client.lookup import find, find_postmortem, handle_of, incident, is_open, label, list_incidents, overdue
from incidents.client.merging import build_merge
from incidents.client.outsiders import OutsideCommands
from incidents.client.problems import CommandFailed, IsPrivate, NoAnswer, NotFound
from incidents.domain.chat.buttons import Action, Target
from incidents.domain.chat.stale import CHECKED, why_stale
from incidents.domain.core.command import Command, Origin
from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn, mrkdwn
from incidents.domain.incident.commands import CorrectTime
from incidents.domain.incident.display.summary import answer_text, digest_text
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.visibility import REFUSAL, is_from_its_channel
from incidents.gateway.slack.slash import typed
from incidents.gateway.slack.slash.answers import Overview, candidates_text, timeline_text
from incidents.gateway.slack.slash.verbs import MergeInto
from incidents.names import INCIDENT_QUERY

QUICK = timedelta(seconds=2)
"""How long to wait for a worker to accept a command. After that it is queued."""
_STATES = 20
"""Open incidents whose states an overview asks for."""
_TEXTS: dict[str, Callable[[Incident], Mrkdwn]] = {
    typed.SHOW: answer_text,
    typed.TIMELINE: timeline_text,
    typed.CANDIDATES: candidates_text,
}
_log = logging.getLogger("gateway")


_UNAVAILABLE = "Temporal is unavailable: your command was not received. Running incidents are not affected. Try again."


@dataclass(frozen=True)
class CommandResult:
    """The result of a command as plain text. `done`: it was accepted, if only to be queued."""

    text: str
    done: bool


class IncidentCalls:
    """Commands and questions for incidents. `connect` returns a client that is connected, or raises `RPCError`.

    `channel_id`, in each: where the person is who asks; "" outside of any channel.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]], outside: OutsideCommands) -> None:
        self._connect, self._outside = connect, outside

    async def command(self, name: str, command: Command | MergeInto, channel_id: str) -> CommandResult:
        """Send a command to an incident, by its number or workflow id, and return the result."""
        return await self.commands(name, (command,), channel_id)

    async def commands(self, name: str, orders: Sequence[Command | MergeInto], channel_id: str) -> CommandResult:
        """Send commands one after the other; the first that is refused ends it. Return the last result."""
        origin = Origin(channel_id=channel_id)

        async def work(client: Client) -> CommandResult:
            said = CommandResult("", done=False)
            for order in orders:
                run = await _find(client, name, order)
                command = (await self._built(client, order)).replace(origin=origin)
                sent = await self._outside.send(client, run, command, QUICK)
                said = CommandResult(sent.message, done=True)
            return said

        return await self._outcome(work)

    async def click(self, target: Target, action: Action, orders: Sequence[Command], channel_id: str) -> CommandResult:
        """Send the commands of a button or its form, unless the button is out of date."""

        async def check(client: Client) -> CommandResult:
            state = await incident(client, target.incident)
            if not all(self._outside.may_act(state, order.by, channel_id) for order in orders):
                raise IsPrivate(REFUSAL)
            stale = why_stale(state, action, target)
            return CommandResult(stale, done=not stale)

        checked = await self._outcome(check) if action in CHECKED else CommandResult("", done=True)
        return await self.commands(target.incident, orders, channel_id) if checked.done else checked

    def may_act(self, state: Incident, by: str, channel_id: str) -> bool:
        """Tell whether a person may act on an incident from that channel."""
        return self._outside.may_act(state, by, channel_id)

    async def _built(self, client: Client, order: Command | MergeInto) -> Command:
        if isinstance(order, MergeInto):
            by = order.by
            return await build_merge(
                client, order.into, by, order.reason, lambda other: self._outside.may_act(other, by, "")
            )
        return order

    async def state(self, name: str, within: float) -> Incident | None:
        """Return an incident, if a worker can tell it so soon. `within`: seconds."""
        try:
            return await asyncio.wait_for(self._state(name), within)
        except (TimeoutError, NotFound, NoAnswer, RPCError):
            return None

    async def _state(self, name: str) -> Incident:
        return await incident(await self._connect(), name)

    async def question(self, asked: typed.Question, channel_id: str) -> Mrkdwn:
        """Return the answer about an incident. A private one shows its details only in its own channel."""

        async def work(client: Client) -> Mrkdwn:
            state = await incident(client, asked.incident)
            if state.private and not is_from_its_channel(state, channel_id):
                return digest_text(state)
            return _TEXTS[asked.verb](state)

        return await self.in_words(work)

    async def overview(self) -> Overview:
        """Return the open incidents with their states, as far as workers tell them soon, and overdue post-mortems."""
        found = Overview()

        async def work(client: Client) -> CommandResult:
            nonlocal found
            runs = await list_incidents(client, everything=False)
            states = [self._state_of(client, run) for run in runs[:_STATES]]
            known = [*await asyncio.gather(*states), *[None] * len(runs[_STATES:])]
            found = Overview(tuple(zip(runs, known, strict=True)), tuple(await overdue(client)))
            return CommandResult("", done=True)

        outcome = await self._outcome(work)
        return found if outcome.done else Overview(problem=outcome.text)

    @staticmethod
    async def _state_of(client: Client, run: WorkflowExecution) -> Incident | None:
        try:
            asking: Awaitable[Incident] = ask(handle_of(client, run), INCIDENT_QUERY, Incident, label(run))
            return await asyncio.wait_for(asking, QUICK.total_seconds())
        except (TimeoutError, NotFound, NoAnswer, RPCError):
            return None

    async def in_words(self, work: Callable[[Client], Awaitable[Mrkdwn]]) -> Mrkdwn:
        """Return the result of a question, or what kept it from one."""
        said = mrkdwn("")

        async def keep(client: Client) -> CommandResult:
            nonlocal said
            said = await work(client)
            return CommandResult(said, done=True)

        outcome = await self._outcome(keep)
        return said if outcome.done else as_mrkdwn(outcome.text)

    async def _outcome(self, work: Callable[[Client], Awaitable[CommandResult]]) -> CommandResult:
        try:
            return await work(await self._connect())
        except (NotFound, NoAnswer, CommandFailed) as refusal:
            return CommandResult(str(refusal), done=False)
        except RPCError as error:
            _log.warning("Temporal answered %s: %s", error.status.name, error.message)
            return CommandResult(_UNAVAILABLE, done=False)


async def _find(client: Client, name: str, command: Command | MergeInto) -> WorkflowExecutionDescription:
    """Return the incident's run; for a correction of one that has closed, its post-mortem's."""
    run = await find(client, name)
    if isinstance(command, CorrectTime) and not is_open(run):
        return await find_postmortem(client, name)
    return run
