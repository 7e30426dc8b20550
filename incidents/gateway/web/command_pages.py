"""The pages that send a command: its form, and a confirmation of what will be sent to whom."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from incidents.client.commands import send
from incidents.client.problems import CommandFailed, NoAnswer, NotFound
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.payload import first_fault
from incidents.domain.incident.display.glance import rollback_parts
from incidents.domain.incident.display.summary import headline
from incidents.domain.incident.incident import Incident
from incidents.domain.preview.command import CommandPreview, preview_command
from incidents.gateway.web.access import Person
from incidents.gateway.web.action import Action
from incidents.gateway.web.actions import find_action, offered_version
from incidents.gateway.web.overview import incident_href
from incidents.gateway.web.pages import Shared
from incidents.gateway.web.reads import Reading
from incidents.gateway.web.rendering import HEADERS
from incidents.gateway.web.sessions import form_token, leave_message, read_form

_ANSWER_WITHIN = timedelta(seconds=5)
_LONGEST_NAME = 100
_ID = re.compile(r"[0-9a-f-]{36}")


class CommandPages:
    """The handlers of the pages that send a command."""

    def __init__(self, shared: Shared) -> None:
        self._shared, self._renderer = shared, shared.renderer

    async def ask(self, request: Request, person: Person) -> Response:
        """Show a command's form, or at once its confirmation if nothing has to be filled in."""
        action, _, incident = await self._find(request)
        if not self._shared.visible(incident, person):
            return self._renderer.private(request, person, incident.name)
        values = {"revision": str(incident.revision), "severity": str(incident.severity), **request.query_params}
        if version := offered_version(action, incident, values.get("cluster", "")):
            values["version"] = version
        if action.asks:
            return self._form(request, person, action, incident, values)
        return self._confirmation(request, person, action, incident, values)

    async def submit(self, request: Request, person: Person) -> Response:
        """Show the confirmation of a form, or send the command that was confirmed."""
        form = await read_form(request, self._shared.settings.gateway_url)
        action, reading, incident = await self._find(request)
        if not self._shared.visible(incident, person):
            return self._renderer.private(request, person, incident.name)
        if form.get("step") == "send" and _ID.fullmatch(form.get("id", "")):
            return await self._send(request, person, action, reading, incident, form)
        if form.get("step") == "change":
            return self._form(request, person, action, incident, form)
        return self._confirmation(request, person, action, incident, form)

    async def _find(self, request: Request) -> tuple[Action, Reading, Incident]:
        action = find_action(request.path_params["action"])
        if action is None:
            raise NotFound("There is no such command.")
        reading = await self._shared.read(request)
        if reading.incident is None:
            raise NoAnswer(reading.warning)
        return action, reading, reading.incident

    def _form(
        self,
        request: Request,
        person: Person,
        action: Action,
        incident: Incident,
        values: Mapping[str, str],
        fault: str = "",
    ) -> Response:
        return self._renderer.page(
            request,
            person,
            "form.html.j2",
            400 if fault else 200,
            frame=_frame(request, action, incident),
            fields=action.fields(incident, self._shared.runbook),
            values=values,
            fault=fault,
        )

    def _confirmation(
        self, request: Request, person: Person, action: Action, incident: Incident, values: Mapping[str, str]
    ) -> Response:
        """Show what the command would do; the form again, with the reason, if it would be rejected."""
        try:
            command = self._build(action, incident, values, person, str(uuid.uuid4()))
            if reason := self._shared.permissions.refusal(command.name, command.by):
                return self._form(request, person, action, incident, values, reason)
            found = self._preview(command, incident)
        except ValidationError as error:
            return self._form(request, person, action, incident, values, first_fault(error))
        except (CommandRejected, AlreadyDone) as refusal:
            return self._form(request, person, action, incident, values, str(refusal))
        return self._renderer.page(
            request,
            person,
            "confirm.html.j2",
            frame=_frame(request, action, incident),
            fields=action.fields(incident, self._shared.runbook),
            values=values,
            command_id=command.id,
            preview=found,
            channel=incident.resources.channel_name or "",
            rollbacks=_rollbacks(action, incident, values.get("cluster", "")),
        )

    async def _send(
        self,
        request: Request,
        person: Person,
        action: Action,
        reading: Reading,
        incident: Incident,
        form: Mapping[str, str],
    ) -> Response:
        """Send the command. Its id is that of the confirmation, so that a second tap is the same command."""
        try:
            command = self._build(action, incident, form, person, form["id"])
            client, permissions = await self._shared.connected(), self._shared.permissions
            sent = await send(client, reading.run, command, _ANSWER_WITHIN, permissions)
        except ValidationError as error:
            return self._form(request, person, action, incident, form, first_fault(error))
        except CommandFailed as refusal:
            return self._form(request, person, action, incident, form, str(refusal))
        await self._shared.expire(request)
        leave_message(request, sent.message)
        href = incident_href(request.path_params["name"])
        return RedirectResponse(href, 303, headers=HEADERS)

    def _build(
        self, action: Action, incident: Incident, values: Mapping[str, str], person: Person, command_id: str
    ) -> Command:
        fields, by = action.fields(incident, self._shared.runbook), person.name[:_LONGEST_NAME]
        return action.build(values, fields, by, command_id, self._shared.people)

    def _preview(self, command: Command, incident: Incident) -> CommandPreview | None:
        """Return what the command would do; None if the incident was opened with a runbook that this one is not."""
        if incident.severity not in self._shared.runbook.severities:
            return None
        return preview_command(command, incident, self._shared.runbook, datetime.now(UTC))


@dataclass(frozen=True)
class Frame:
    """What form and confirmation share. `heading`: the incident in one line; `address`: where the form is sent."""

    action: Action
    name: str
    heading: str
    href: str
    address: str
    token: str


def _rollbacks(action: Action, incident: Incident, cluster: str) -> list[str]:
    """Return what a decision about rollbacks is about: versions, reason, and why it needs approval."""
    states = [state for state in incident.rollback.clusters if action.clusters and cluster in ("", state.offer.cluster)]
    cautions = [f"Needs approval: {state.offer.caution}" for state in states if state.offer.caution]
    return [*(" · ".join(rollback_parts(state)) for state in states), *cautions]


def _frame(request: Request, action: Action, incident: Incident) -> Frame:
    href = incident_href(request.path_params["name"])
    return Frame(
        action=action,
        name=incident.name,
        heading=headline(incident),
        href=href,
        address=f"{href}/do/{action.path}",
        token=form_token(request),
    )
