"""The app's home tab: open incidents, what waits for the person who looks, and overdue post-mortems."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.models.blocks import Block
from slack_sdk.web.async_client import AsyncWebClient
from temporalio.client import WorkflowExecution

from incidents import search_attributes as attributes
from incidents.client.lookup import label
from incidents.domain.chat.waiting import waits_for
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.mrkdwn import Mrkdwn, mrkdwn, mrkdwn_lines
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.visibility import may_see
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.names import name_of
from incidents.gateway.slack.replies import reaching_slack
from incidents.gateway.slack.services import Services
from incidents.gateway.slack.slash.answers import Overview, incident_line
from incidents.vendors.slack import blocks as kit

_LATE = 20


@dataclass(frozen=True)
class Home:
    """What the home tab shows one person."""

    person: str
    overview: Overview
    people: PeopleDirectory
    runbook: RunbookConfig

    def blocks(self) -> list[Block]:
        """Return the blocks of the tab."""
        return [
            kit.header("Waiting for you"),
            *kit.sections(mrkdwn_lines(self._waiting()) or mrkdwn("Nothing.")),
            kit.header("Open incidents"),
            *kit.sections(mrkdwn_lines(self._open()) or mrkdwn("None.")),
            kit.header("Overdue post-mortems"),
            *kit.sections(mrkdwn_lines(_overdue(self.overview.overdue)) or mrkdwn("None.")),
            kit.context("`/incident` opens an incident, `/incident help` lists the commands."),
            *([kit.context(self.overview.problem)] if self.overview.problem else []),
        ]

    def _waiting(self) -> Iterator[Mrkdwn]:
        for state in (state for _, state in self.overview.open if state is not None):
            if not may_see(state, self.person, self.runbook, self.people):
                continue
            for line in waits_for(self.person, state, self.runbook):
                yield mrkdwn("• *{}*{} {}", state.name, _channel(state), line)

    def _open(self) -> Iterator[Mrkdwn]:
        for run, state in self.overview.open:
            yield incident_line(run, state)


def _channel(state: Incident) -> Mrkdwn:
    return mrkdwn(" <#{}>", state.resources.channel_id) if state.resources.channel_id else mrkdwn("")


def _overdue(runs: Sequence[WorkflowExecution]) -> Iterator[Mrkdwn]:
    for run in runs[:_LATE]:
        due = run.typed_search_attributes.get(attributes.POSTMORTEM_DUE)
        yield mrkdwn("*{}* was due {}", label(run), f"{due:%Y-%m-%d %H:%M} UTC" if due else "before now")


class HomeTab:
    """Shows the tab whenever it is opened."""

    def __init__(self, bolt: AsyncApp, services: Services) -> None:
        self._services = services
        bolt.event("app_home_opened")(self.opened)

    async def opened(self, event: dict[str, Any], client: AsyncWebClient) -> None:
        """Publish the tab for the person who opened it."""
        user = event.get("user")
        if event.get("tab") != "home" or not isinstance(user, str):
            return
        overview = await self._services.calls.overview()
        person = await name_of(client, user, self._services.people)
        view = kit.home(Home(person, overview, self._services.people, self._services.runbook).blocks())
        with reaching_slack("the home tab"):
            await client.views_publish(user_id=user, view=view)
