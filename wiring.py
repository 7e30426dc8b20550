"""The composition root: from the environment's settings to the runbook's hands."""

from rich.table import Table
from temporalio.client import Client

from activities.chat import Chat
from activities.deployments import Deployments
from activities.email import Email
from activities.evidence import Evidence
from activities.hands import Hands
from activities.health import Health
from activities.investigation import Investigation
from activities.issue_tracker import IssueTracker
from activities.numbers import Numbers
from activities.paging import Paging
from activities.status_page import StatusPage
from activities.war_room import WarRoom
from clients.github import GitHubClient
from clients.ops_portal import OpsPortalClient
from clients.pagerduty import PagerDutyEvents
from clients.probe import ProductProbe
from clients.prometheus import PrometheusClient
from clients.sendgrid_mail import SendGridClient
from clients.signoz import SigNozClient
from clients.slack import SlackClient
from clients.statuspage import StatuspageClient
from clients.storage import EvidenceStore
from clients.zoom import ZoomClient
from settings import Settings


def make_hands(settings: Settings, client: Client) -> Hands:
    """Return every hand: with its vendor's client if the environment has the credentials, off otherwise."""
    off = {i.name: f"{i.name} is off: {i.reason.removeprefix('error: ')}" for i in settings.integrations() if not i.on}
    probe = ProductProbe(timeout=settings.probe_timeout_seconds, api_key=settings.probe_api_key.get_secret_value())
    return Hands(
        numbers=Numbers(client, settings.temporal_task_queue),
        paging=Paging(_pagerduty(settings), off.get("pagerduty", "")),
        chat=Chat(_slack(settings), off.get("slack", "")),
        war_room=WarRoom(_zoom(settings), off.get("zoom", "")),
        status_page=StatusPage(_statuspage(settings), off.get("statuspage", "")),
        email=Email(_sendgrid(settings), settings.email_from, settings.email_reply_to, off.get("sendgrid", "")),
        issue_tracker=IssueTracker(_github(settings), off.get("github", "")),
        deployments=Deployments(_ops_portal(settings), off.get("ops portal", "")),
        health=Health(probe, settings.probe_flag_key),
        investigation=Investigation(
            probe,
            PrometheusClient(settings.prometheus_url, settings.http_timeout_seconds)
            if settings.is_on("prometheus")
            else None,
            _signoz(settings),
            prometheus_off=off.get("prometheus", ""),
            signoz_off=off.get("signoz", ""),
            flag_key=settings.probe_flag_key,
        ),
        evidence=Evidence(EvidenceStore(settings.evidence_url), settings.evidence_url),
    )


def integrations_table(settings: Settings) -> Table:
    """Return the list of what is on and what is off, and why, that the worker shows when it starts."""
    table = Table("integration", "", "because", title="Integrations", title_justify="left")
    for found in settings.integrations():
        style = "green" if found.on else "red" if found.half_set else "dim"
        table.add_row(found.name, "on" if found.on else "off", found.reason, style=style)
    return table


def _slack(settings: Settings) -> SlackClient | None:
    if not settings.is_on("slack"):
        return None
    token = settings.slack_bot_token.get_secret_value()
    return SlackClient(token, settings.slack_api_url, settings.http_timeout_seconds)


def _pagerduty(settings: Settings) -> PagerDutyEvents | None:
    if not settings.is_on("pagerduty"):
        return None
    key = settings.pagerduty_routing_key.get_secret_value()
    return PagerDutyEvents(key, settings.pagerduty_events_url, settings.http_timeout_seconds)


def _zoom(settings: Settings) -> ZoomClient | None:
    if not settings.is_on("zoom"):
        return None
    return ZoomClient(
        settings.zoom_account_id,
        settings.zoom_client_id,
        settings.zoom_client_secret.get_secret_value(),
        settings.zoom_api_url,
        settings.zoom_oauth_url,
        settings.http_timeout_seconds,
    )


def _statuspage(settings: Settings) -> StatuspageClient | None:
    if not settings.is_on("statuspage"):
        return None
    return StatuspageClient(
        settings.statuspage_api_key.get_secret_value(),
        settings.statuspage_page_id,
        settings.statuspage_api_url,
        settings.http_timeout_seconds,
    )


def _sendgrid(settings: Settings) -> SendGridClient | None:
    if not settings.is_on("sendgrid"):
        return None
    key = settings.sendgrid_api_key.get_secret_value()
    return SendGridClient(key, settings.sendgrid_api_url, settings.http_timeout_seconds)


def _github(settings: Settings) -> GitHubClient | None:
    if not settings.is_on("github"):
        return None
    token = settings.github_token.get_secret_value()
    return GitHubClient(token, settings.github_repository, settings.github_api_url, settings.http_timeout_seconds)


def _ops_portal(settings: Settings) -> OpsPortalClient | None:
    if not settings.is_on("ops portal"):
        return None
    return OpsPortalClient(
        settings.ops_portal_url,
        settings.ops_portal_email,
        settings.ops_portal_password.get_secret_value(),
        settings.ops_portal_edge_token.get_secret_value(),
        settings.http_timeout_seconds,
    )


def _signoz(settings: Settings) -> SigNozClient | None:
    if not settings.is_on("signoz"):
        return None
    return SigNozClient(
        settings.signoz_url,
        settings.signoz_api_key.get_secret_value(),
        settings.signoz_edge_token.get_secret_value(),
        settings.http_timeout_seconds,
    )
