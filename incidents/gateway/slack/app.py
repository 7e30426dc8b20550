"""The Slack app: what it listens to, whichever way a request arrives.

Each listener acknowledges at once, since Slack shows an error after three seconds, and does its work afterwards.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from temporalio.client import Client

from incidents.app.composition.clients import build_schedules
from incidents.app.settings import Settings
from incidents.client.delivery.delivery import Delivery
from incidents.client.outsiders import OutsideCommands
from incidents.domain.config.model import RunbookConfig
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.buttons import Buttons
from incidents.gateway.slack.calls import IncidentCalls
from incidents.gateway.slack.home import HomeTab
from incidents.gateway.slack.messages import Messages
from incidents.gateway.slack.opening import Opening
from incidents.gateway.slack.payloads import teams_of
from incidents.gateway.slack.replies import Replies
from incidents.gateway.slack.services import Services
from incidents.gateway.slack.slash.commands import Commands
from incidents.gateway.slack.slash.on_call import OnCallAnswer
from incidents.vendors.slack.calls import api_url

_bolt_log = logging.getLogger("gateway.slack")
# Below, Bolt writes whole payloads; and it warns of a token in the environment, which is meant to be there.
_bolt_log.setLevel(logging.ERROR)


class SlackApp:
    """Bolt's application with our listeners. Stateless: what is accepted is stored by Temporal."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        delivery: Delivery,
        settings: Settings,
        runbook: RunbookConfig,
    ) -> None:
        """Register the listeners.

        Args:
            connect: returns a client that is connected to Temporal, or raises `RPCError`.
            delivery: opens incidents.
            settings: of this process.
            runbook: the runbook in use.
        """
        people = PeopleDirectory(runbook.people.directory)
        services = Services(
            calls=IncidentCalls(connect, OutsideCommands(runbook, people)),
            delivery=delivery,
            replies=Replies(settings.slack_api_url),
            people=people,
            runbook=runbook,
            on_call=OnCallAnswer(runbook, build_schedules(settings)),
        )
        self.bolt = _build_bolt(settings)
        if settings.slack_team_id:
            self.bolt.middleware(_only_of(settings.slack_team_id))
        opening = Opening(self.bolt, services)
        Commands(self.bolt, services, opening)
        Messages(self.bolt, services, opening)
        Buttons(self.bolt, services)
        HomeTab(self.bolt, services)
        self.bolt.error(_accept_unhandled)


def _build_bolt(settings: Settings) -> AsyncApp:
    """Return Bolt's application. It asks Slack nothing before it handles a request: there are three seconds.

    Signatures are checked before Bolt reads a request (`http.py`), not after as Bolt would.
    """
    token = settings.slack_bot_token.get_secret_value()

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = AsyncApp(
        name="incident-gateway",
        logger=_bolt_log,
        signing_secret="",
        authorize=authorize,
        request_verification_enabled=False,
        raise_error_for_unhandled_request=True,
    )
    app.client.base_url = api_url(settings.slack_api_url)
    app.client.timeout = max(1, round(settings.http_timeout_seconds))
    app.client.retry_handlers = []  # a retry after a lost reply does it twice
    return app


def _only_of(team_id: str) -> Callable[..., Awaitable[BoltResponse | None]]:
    """Return what lets the requests of one workspace through: in a shared channel, guests of others can click, too."""

    async def check(body: Mapping[str, Any], next_: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        if set(teams_of(body)) == {team_id}:
            await next_()
            return None
        logging.getLogger("gateway").warning("Ignored a request of Slack: it is not of SLACK_TEAM_ID, %s", team_id)
        return BoltResponse(status=200, body="")  # after any other answer, Slack would send it again

    return check


async def _accept_unhandled(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
    """Accept what no listener is for, such as a click on a link, and log what failed: Slack would send it again."""
    if not isinstance(error, BoltUnhandledRequestError):
        _bolt_log.error("A request of Slack failed (%s)", body.get("type") or "command", exc_info=error)
    return BoltResponse(status=200, body="")
