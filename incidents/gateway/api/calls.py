"""What the API asks of Temporal. Each failure is refused with the status that says who can do something about it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from incidents.app.api_tokens import Scope
from incidents.client.asking import ask
from incidents.client.commands import Sent
from incidents.client.delivery.submission import Declared
from incidents.client.intake import Started, start
from incidents.client.lookup import OVER, describe, find, find_postmortem, handle_of, is_open, label, list_incidents
from incidents.client.merging import build_merge
from incidents.client.outsiders import OutsideCommands
from incidents.client.problems import CommandFailed, IsPrivate, NoAnswer, NotAuthorized, NotFound, Unconfirmed
from incidents.client.rows import Row, incident_rows
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command, Origin
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.commands import CorrectTime
from incidents.domain.incident.incident import Incident
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.api.bodies import MergeInto
from incidents.gateway.api.refusals import Refused
from incidents.names import INCIDENT_QUERY
from incidents.search_attributes import NUMBER, STATUS

QUICK = timedelta(seconds=2)
"""How long to wait for a worker. After that a command is queued, and an incident has no number yet."""
_AGAIN = {"retry-after": "2"}
_LONGEST_REFERENCE = 300


class ApiCalls:
    """Reads and commands. `connect` returns a client that is connected, or raises `RPCError`."""

    def __init__(self, connect: Callable[[], Awaitable[Client]], runbook: RunbookConfig, task_queue: str) -> None:
        self._connect, self._runbook, self._queue = connect, runbook, task_queue
        self._outside = OutsideCommands(runbook, PeopleDirectory(runbook.people.directory))

    async def listed(self, *, everything: bool) -> list[Row]:
        """Return the incidents that are open; with `everything`, the others, too."""
        runs = await list_incidents(await self._connect(), everything=everything)
        open_ones = [run for run in runs if everything or run.typed_search_attributes.get(STATUS) not in OVER]
        return await incident_rows(open_ones, datetime.now(UTC))

    async def state(self, reference: str, *, private: bool) -> Incident:
        """Return an incident. `private`: the sender may read those that are.

        Raises:
            Refused: there is none of that reference, the sender may not read it, or no worker answers.
        """
        with refusing():
            client = await self._connect()
            run = await find(client, _checked(reference))
            found: Incident = await ask(handle_of(client, run), INCIDENT_QUERY, Incident, label(run))
            if found.private and not private:
                raise IsPrivate
            return found

    async def open(self, declared: Declared, key: str) -> Started:
        """Open an incident. It returns once Temporal has recorded it; with a `key`, at most once.

        The id of a workflow that has ended could be used again, so a repetition is looked for first.
        """
        client = await self._connect()
        if not key:
            return await self._start(client, declared)
        named = Declared(workflow_id=f"incident-{key}", opening=declared.opening.replace(key=key))
        try:
            run = await describe(client, named.workflow_id)
        except NotFound:
            return await self._start(client, named)
        number = run.typed_search_attributes.get(NUMBER)
        return Started(workflow_id=run.id, run_id=run.run_id, number=number, created=False, action="updated")

    async def _start(self, client: Client, declared: Declared) -> Started:
        return await start(
            client, declared.workflow_id, declared.opening, self._runbook, self._queue, give_up_after=QUICK
        )

    async def command(
        self, reference: str, command: Command | MergeInto, by: str, command_id: str, *, private: bool
    ) -> Sent:
        """Send a command, and return what became of it.

        Args:
            reference: of the incident.
            command: as it was sent.
            by: who sends it.
            command_id: by which a repetition is known.
            private: the sender may act on private incidents.

        Raises:
            Refused: the sender may not send it, a rule rejects it, or it is not known whether it arrived.
        """
        with refusing():
            client = await self._connect()
            run = await find(client, _checked(reference))
            if isinstance(command, MergeInto):
                merge = await build_merge(
                    client, _checked(command.into), by, command.reason, lambda other: private or not other.private
                )
                command = merge.replace(id=command_id)
            if isinstance(command, CorrectTime) and not is_open(run):
                run = await find_postmortem(client, reference)
            command = command.replace(origin=None if private else Origin(by_person=False))
            return await self._outside.send(client, run, command, QUICK)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what keeps a client from its answer into the refusal of a request."""
    try:
        yield
    except NotFound as error:
        raise Refused(404, str(error)) from None
    except IsPrivate:
        raise Refused(403, f"this incident is private, and this token lacks the scope {Scope.PRIVATE}") from None
    except NotAuthorized as error:
        raise Refused(403, str(error)) from None
    except (NoAnswer, Unconfirmed) as error:
        raise Refused(503, str(error), _AGAIN) from None
    except CommandFailed as error:
        raise Refused(409, str(error)) from None


def _checked(reference: str) -> str:
    """Return a reference that Temporal can be asked about.

    Raises:
        NotFound: it cannot be one.
    """
    if not reference.isprintable() or len(reference) > _LONGEST_REFERENCE:
        raise NotFound(f"{one_line(reference, 40)!r} is not an incident")
    return reference
