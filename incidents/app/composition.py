"""The composition root: build the activities from the settings."""

import asyncio
from collections.abc import Callable

from temporalio.client import Client

import activities.deployers as deploying
from activities.alerts import Alerts
from activities.chat.chat import Chat
from activities.email import Email
from activities.evidence import sources as evidence_sources
from activities.evidence.evidence import Evidence, Source
from activities.investigation import Investigation
from activities.numbers import Numbers
from activities.paging.on_call import OnCall
from activities.paging.paging import Paging
from activities.past import PastIncidents
from activities.postmortems import Postmortems
from activities.processes import WorkflowQueries
from activities.registry import ActivitySet
from activities.rollback.baselines import Baselines
from activities.rollback.deployers.github_actions import GitHubActionsDeployer
from activities.rollback.deployers.ops_portal import OpsPortalDeployer
from activities.rollback.deployments import Deployments
from activities.rollback.health import Health
from activities.rollback.preflights import Preflights
from activities.status_page import StatusPage
from activities.updates.issue_tracker import IssueTracker, Tracker
from activities.updates.status_pages.static_site import StatusSite
from activities.war_room import WarRoom
from incidents.app.settings import Settings
from incidents.domain.evidence.manifest import EvidenceSource
from incidents.domain.rollback.config import Deployer
from incidents.domain.rollback.order import Probed
from incidents.vendors.github.client import GitHubClient
from incidents.vendors.issues.markdown import MarkdownIssues
from incidents.vendors.mail.mail import Mailer
from incidents.vendors.mail.sendgrid import SendGridClient
from incidents.vendors.mail.smtp import SmtpClient
from incidents.vendors.monitoring.alertmanager import AlertmanagerClient
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient
from incidents.vendors.ops_portal import OpsPortalClient
from incidents.vendors.pagerduty import PagerDutyClient, PagerDutyEvents
from incidents.vendors.probe import ProductProbe
from incidents.vendors.product.flag_audit import FlagAuditClient
from incidents.vendors.product.postgres import Diagnostics
from incidents.vendors.slack.client import SlackClient
from incidents.vendors.statuspage import StatuspageClient
from incidents.vendors.storage import FileStore
from incidents.vendors.zoom import ZoomClient

_NAMES = {
    "alertmanager": "Alertmanager",
    "github": "GitHub",
    "ops portal": "Ops Portal",
    "pagerduty": "PagerDuty",
    "pagerduty schedules": "PagerDuty schedules",
    "prometheus": "Prometheus",
    "sendgrid": "e-mail",
    "signoz": "SigNoz",
    "slack": "Slack",
    "statuspage": "status page",
    "zoom": "Zoom",
}
"""Integrations as people write them; the others are written as in the settings."""


def build_activities(settings: Settings, client: Client) -> ActivitySet:
    """Build all activities: with the vendor's client if its credentials are set, off otherwise."""
    off = {
        i.name: f"{_NAMES.get(i.name, i.name)} not configured ({i.reason.removeprefix('error: ')})"
        for i in settings.integrations()
        if not i.on
    }
    probe = ProductProbe(timeout=settings.probe_timeout_seconds, api_key=settings.probe_api_key.get_secret_value())
    prometheus, signoz, slack = _prometheus(settings), _signoz(settings), _slack(settings)
    processes = WorkflowQueries(client)
    deployments = _deployments(settings, client, off)
    health = Health(probe, settings.probe_flag_key, _progress_sender(processes))
    return ActivitySet(
        numbers=Numbers(client, settings.temporal_task_queue),
        paging=Paging(_pagerduty(settings), off.get("pagerduty", ""), _own_pagers(settings)),
        on_call=OnCall(_schedules(settings), off.get("pagerduty schedules", "")),
        alerts=Alerts(_alertmanager(settings), off.get("alertmanager", "")),
        chat=Chat(slack, off.get("slack", ""), interactive=bool(settings.slack_signing_secret)),
        war_room=WarRoom(_zoom(settings), off.get("zoom", "")),
        status_page=StatusPage(_statuspage(settings), off.get("statuspage", ""), _status_site(settings)),
        email=Email(_mailer(settings), settings.email_from, settings.email_reply_to, off.get("sendgrid", "")),
        issue_tracker=IssueTracker(_tracker(settings), off.get("github", "")),
        deployments=deployments,
        health=health,
        investigation=Investigation(
            probe,
            prometheus,
            signoz,
            prometheus_off=off.get("prometheus", ""),
            signoz_off=off.get("signoz", ""),
            flag_key=settings.probe_flag_key,
        ),
        baselines=Baselines(prometheus, signoz, processes),
        preflights=Preflights(deployments, health),
        processes=processes,
        evidence=_evidence(settings, deployments, prometheus, signoz, slack, off),
        postmortems=_postmortems(settings, off),
    )


def _postmortems(settings: Settings, off: dict[str, str]) -> Postmortems:
    """Build the post-mortem activities, with the repository if GitHub is on."""
    github = _github(settings)
    store = FileStore(settings.evidence_url)
    return Postmortems(store, github.files if github else None, _tracker(settings), off.get("github", ""))


def _deployments(settings: Settings, client: Client, off: dict[str, str]) -> Deployments:
    """Build the deployment activities, with every deployer whose credentials are set."""
    portal, github = _ops_portal(settings), _github(settings)
    deployers: dict[Deployer, deploying.Deployer] = {}
    if portal is not None:
        deployers[Deployer.OPS_PORTAL] = OpsPortalDeployer(portal)
    if github is not None:
        deployers[Deployer.GITHUB_ACTIONS] = GitHubActionsDeployer(github)
    why = {Deployer.OPS_PORTAL: off.get("ops portal", ""), Deployer.GITHUB_ACTIONS: off.get("github", "")}
    return Deployments(deployers, why, PastIncidents(client))


def _evidence(
    settings: Settings,
    deployments: Deployments,
    prometheus: PrometheusClient | None,
    signoz: SigNozClient | None,
    slack: SlackClient | None,
    off: dict[str, str],
) -> Evidence:
    """Build the evidence activities, with every source whose credentials are set."""
    found: dict[EvidenceSource, Source] = {EvidenceSource.DEPLOYMENTS: evidence_sources.deployments(deployments)}
    if prometheus is not None:
        found[EvidenceSource.PROMETHEUS] = evidence_sources.metrics(prometheus)
    if signoz is not None:
        found[EvidenceSource.SIGNOZ_LOGS] = evidence_sources.signoz(signoz, "logs")
        found[EvidenceSource.SIGNOZ_TRACES] = evidence_sources.signoz(signoz, "traces")
    if slack is not None:
        found[EvidenceSource.SLACK] = evidence_sources.slack(slack)
    if settings.is_on("flag audit"):
        token = settings.product_api_token.get_secret_value()
        client = FlagAuditClient(settings.product_api_url, token, settings.http_timeout_seconds)
        found[EvidenceSource.FLAG_AUDIT] = evidence_sources.flag_audit(client)
    if settings.is_on("database diagnostics"):
        replica = Diagnostics(settings.database_url.get_secret_value(), settings.http_timeout_seconds)
        found[EvidenceSource.DATABASE] = evidence_sources.database(replica)
    why = {
        EvidenceSource.PROMETHEUS: off.get("prometheus", ""),
        EvidenceSource.SIGNOZ_LOGS: off.get("signoz", ""),
        EvidenceSource.SIGNOZ_TRACES: off.get("signoz", ""),
        EvidenceSource.SLACK: off.get("slack", ""),
        EvidenceSource.FLAG_AUDIT: off.get("flag audit", ""),
        EvidenceSource.DATABASE: off.get("database diagnostics", ""),
    }
    return Evidence(FileStore(settings.evidence_url), settings.evidence_url, found, why)


def _progress_sender(processes: WorkflowQueries) -> Callable[[str, Probed], None]:
    """Return the function by which a verification, which runs in a thread, signals progress to its workflow."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no worker: there is no workflow to signal
        return lambda workflow_id, probed: None

    def send(workflow_id: str, probed: Probed) -> None:
        asyncio.run_coroutine_threadsafe(processes.send_progress(workflow_id, probed), loop)

    return send


def _slack(settings: Settings) -> SlackClient | None:
    if not settings.is_on("slack"):
        return None
    token = settings.slack_bot_token.get_secret_value()
    return SlackClient(token, settings.slack_api_url, settings.http_timeout_seconds)


def _prometheus(settings: Settings) -> PrometheusClient | None:
    if not settings.is_on("prometheus"):
        return None
    return PrometheusClient(settings.prometheus_url, settings.http_timeout_seconds)


def _pagerduty(settings: Settings) -> PagerDutyEvents | None:
    if not settings.is_on("pagerduty"):
        return None
    key = settings.pagerduty_routing_key.get_secret_value()
    return PagerDutyEvents(key, settings.pagerduty_events_url, settings.http_timeout_seconds)


def _mailer(settings: Settings) -> Mailer | None:
    """Return SendGrid if it is on, else the SMTP server if one is configured."""
    if settings.is_on("sendgrid") or not settings.is_on("smtp"):
        return _sendgrid(settings)
    return SmtpClient(settings.smtp_url.get_secret_value(), settings.http_timeout_seconds)


def _tracker(settings: Settings) -> Tracker | None:
    """Return GitHub if it is on, else the ticket folder if one is configured."""
    if settings.is_on("github") or settings.tracker_folder is None:
        return _github(settings)
    return MarkdownIssues(settings.tracker_folder)


def _status_site(settings: Settings) -> StatusSite | None:
    if not settings.is_on("status site"):
        return None
    return StatusSite(FileStore(settings.status_site_url, "status site"))


def _own_pagers(settings: Settings) -> dict[str, PagerDutyEvents]:
    """Return the pager of each contact who has one of their own."""
    url, patience = settings.pagerduty_events_url, settings.http_timeout_seconds
    keys = settings.pagerduty_routing_keys
    return {contact: PagerDutyEvents(key.get_secret_value(), url, patience) for contact, key in keys.items()}


def _schedules(settings: Settings) -> PagerDutyClient | None:
    if not settings.is_on("pagerduty schedules"):
        return None
    key = settings.pagerduty_api_key.get_secret_value()
    return PagerDutyClient(key, settings.pagerduty_api_url, settings.http_timeout_seconds)


def _alertmanager(settings: Settings) -> AlertmanagerClient | None:
    if not settings.is_on("alertmanager"):
        return None
    return AlertmanagerClient(settings.alertmanager_url, settings.http_timeout_seconds)


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
