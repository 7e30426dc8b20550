"""The vendors' clients, each built from the settings; None if its credentials are not set."""

from typing import assert_never

from activities import ports
from activities.rollback.deployers.github_actions import GitHubActionsDeployer
from activities.rollback.deployers.ops_portal import OpsPortalDeployer
from activities.updates.status_pages.static_site import StatusSite
from activities.updates.status_pages.statuspage import StatuspagePublisher
from incidents.app.settings import Settings
from incidents.domain.alerting.config import AlertApi
from incidents.domain.config.model import RunbookConfig
from incidents.domain.rollback.config import Deployer
from incidents.vendors.github.client import GitHubClient
from incidents.vendors.issues.markdown import MarkdownIssues
from incidents.vendors.mail.sendgrid import SendGridClient
from incidents.vendors.mail.smtp import SmtpClient
from incidents.vendors.monitoring.alertmanager import AlertmanagerClient
from incidents.vendors.monitoring.grafana import GrafanaClient
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient
from incidents.vendors.ops_portal import OpsPortalClient
from incidents.vendors.paging.pagerduty import PagerDutyClient
from incidents.vendors.product.flag_audit import FlagAuditClient
from incidents.vendors.product.postgres import Diagnostics
from incidents.vendors.slack.client import SlackClient
from incidents.vendors.statuspage import StatuspageClient
from incidents.vendors.storage import FileStore
from incidents.vendors.webhook import WebhookClient
from incidents.vendors.zoom import ZoomClient


def build_slack(settings: Settings) -> SlackClient | None:
    """Return the Slack client, if Slack is on."""
    if not settings.is_on("slack"):
        return None
    token = settings.slack_bot_token.get_secret_value()
    return SlackClient(token, settings.slack_api_url, settings.http_timeout_seconds)


def build_prometheus(settings: Settings) -> PrometheusClient | None:
    """Return Prometheus' client, if it is on."""
    if not settings.is_on("prometheus"):
        return None
    return PrometheusClient(settings.prometheus_url, settings.http_timeout_seconds)


def build_mailer(settings: Settings) -> ports.Mailer | None:
    """Return SendGrid if it is on, else the SMTP server if one is configured."""
    if settings.is_on("sendgrid") or not settings.is_on("smtp"):
        return build_sendgrid(settings)
    return build_smtp(settings)


def build_smtp(settings: Settings) -> SmtpClient | None:
    """Return the mail server, if it is on."""
    if not settings.is_on("smtp"):
        return None
    return SmtpClient(settings.smtp_url.get_secret_value(), settings.http_timeout_seconds)


def build_tracker(settings: Settings) -> ports.IssueTracker | None:
    """Return GitHub if it is on, else the ticket folder if one is configured."""
    return build_github(settings) or build_ticket_folder(settings)


def build_ticket_folder(settings: Settings) -> MarkdownIssues | None:
    """Return the ticket folder, if it is on."""
    return MarkdownIssues(settings.tracker_folder) if settings.tracker_folder else None


def build_webhook(settings: Settings) -> WebhookClient | None:
    """Return the webhook of status updates, if it is on."""
    if not settings.is_on("webhook"):
        return None
    return WebhookClient(settings.updates_webhook_url.get_secret_value(), settings.http_timeout_seconds)


def build_status_page(settings: Settings, runbook: RunbookConfig) -> ports.StatusPage | None:
    """Return Statuspage if it is on, else the static site if one is configured."""
    statuspage = build_statuspage(settings)
    if statuspage is not None:
        return StatuspagePublisher(statuspage)
    store = build_status_site(settings)
    return StatusSite(store, runbook) if store else None


def build_status_site(settings: Settings) -> FileStore | None:
    """Return where the static site is written, if it is on."""
    return FileStore(settings.status_site_url, "status site") if settings.is_on("status site") else None


def build_schedules(settings: Settings) -> PagerDutyClient | None:
    """Return PagerDuty's schedules, if they are on."""
    if not settings.is_on("pagerduty schedules"):
        return None
    key = settings.pagerduty_api_key.get_secret_value()
    return PagerDutyClient(key, settings.pagerduty_api_url, settings.http_timeout_seconds)


def build_alert_source(api: AlertApi, settings: Settings) -> tuple[ports.AlertSource | None, str]:
    """Return the client of an API, None if it is off, and the name of the integration that it needs."""
    match api:
        case AlertApi.ALERTMANAGER:
            return build_alertmanager(settings), "alertmanager"
        case AlertApi.GRAFANA:
            return build_grafana(settings), "grafana"
        case AlertApi.NONE:
            return None, ""
        case _:
            assert_never(api)


def build_alertmanager(settings: Settings) -> AlertmanagerClient | None:
    """Return Alertmanager's client, if it is on."""
    if not settings.is_on("alertmanager"):
        return None
    return AlertmanagerClient(settings.alertmanager_url, settings.http_timeout_seconds)


def build_grafana(settings: Settings) -> GrafanaClient | None:
    """Return Grafana's client, if it is on."""
    if not settings.is_on("grafana"):
        return None
    token = settings.grafana_token.get_secret_value()
    return GrafanaClient(settings.grafana_url, token, settings.http_timeout_seconds)


def build_meetings(settings: Settings) -> ZoomClient | None:
    """Return Zoom, if it is on."""
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


def build_deployer(deployer: Deployer, settings: Settings) -> tuple[ports.Deployer | None, str]:
    """Return the deployer, None if it is off, and the name of the integration that it needs."""
    match deployer:
        case Deployer.OPS_PORTAL:
            portal = build_ops_portal(settings)
            return (OpsPortalDeployer(portal) if portal else None), "ops portal"
        case Deployer.GITHUB_ACTIONS:
            github = build_github(settings)
            return (GitHubActionsDeployer(github) if github else None), "github"
        case _:
            assert_never(deployer)


def build_statuspage(settings: Settings) -> StatuspageClient | None:
    """Return Statuspage's client, if it is on."""
    if not settings.is_on("statuspage"):
        return None
    return StatuspageClient(
        settings.statuspage_api_key.get_secret_value(),
        settings.statuspage_page_id,
        settings.statuspage_api_url,
        settings.http_timeout_seconds,
    )


def build_sendgrid(settings: Settings) -> SendGridClient | None:
    """Return SendGrid's client, if it is on."""
    if not settings.is_on("sendgrid"):
        return None
    key = settings.sendgrid_api_key.get_secret_value()
    return SendGridClient(key, settings.sendgrid_api_url, settings.http_timeout_seconds)


def build_flag_audit(settings: Settings) -> FlagAuditClient | None:
    """Return the product's flag audit, if it is on."""
    if not settings.is_on("flag audit"):
        return None
    token = settings.product_api_token.get_secret_value()
    return FlagAuditClient(settings.product_api_url, token, settings.http_timeout_seconds)


def build_diagnostics(settings: Settings) -> Diagnostics | None:
    """Return the product's database, if it is on."""
    if not settings.is_on("database diagnostics"):
        return None
    return Diagnostics(settings.database_url.get_secret_value(), settings.http_timeout_seconds)


def build_github(settings: Settings) -> GitHubClient | None:
    """Return GitHub's client, if it is on."""
    if not settings.is_on("github"):
        return None
    token = settings.github_token.get_secret_value()
    return GitHubClient(token, settings.github_repository, settings.github_api_url, settings.http_timeout_seconds)


def build_ops_portal(settings: Settings) -> OpsPortalClient | None:
    """Return the Ops Portal's client, if it is on."""
    if not settings.is_on("ops portal"):
        return None
    return OpsPortalClient(
        settings.ops_portal_url,
        settings.ops_portal_email,
        settings.ops_portal_password.get_secret_value(),
        settings.ops_portal_edge_token.get_secret_value(),
        settings.http_timeout_seconds,
    )


def build_signoz(settings: Settings) -> SigNozClient | None:
    """Return SigNoz' client, if it is on."""
    if not settings.is_on("signoz"):
        return None
    return SigNozClient(
        settings.signoz_url,
        settings.signoz_api_key.get_secret_value(),
        settings.signoz_edge_token.get_secret_value(),
        settings.http_timeout_seconds,
    )
