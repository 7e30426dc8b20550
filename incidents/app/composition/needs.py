"""What each integration needs of the settings, and whether it is on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Integration:
    """Whether a part of the program is on, and why, as printed when the worker starts.

    `half_set` marks credentials of which some are set and some are missing: surely a mistake, so `reason` begins with
    "error:".
    """

    name: str
    on: bool
    reason: str
    half_set: bool = False


# What each integration needs, all of it, to be on.
NEEDS: dict[str, tuple[str, ...]] = {
    "slack": ("SLACK_BOT_TOKEN",),
    "sendgrid": ("SENDGRID_API_KEY", "EMAIL_FROM"),
    "smtp": ("SMTP_URL", "EMAIL_FROM"),
    "webhook": ("UPDATES_WEBHOOK_URL",),
    "statuspage": ("STATUSPAGE_API_KEY", "STATUSPAGE_PAGE_ID"),
    "status site": ("STATUS_SITE_URL",),
    "github": ("GITHUB_TOKEN", "GITHUB_REPOSITORY"),
    "ticket folder": ("TRACKER_FOLDER",),
    "pagerduty": ("PAGERDUTY_ROUTING_KEY",),
    "ntfy": ("NTFY_URL",),
    "pagerduty schedules": ("PAGERDUTY_API_KEY",),
    "alertmanager": ("ALERTMANAGER_URL",),
    "grafana": ("GRAFANA_URL", "GRAFANA_TOKEN"),
    "zoom": ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET"),
    "ops portal": ("OPS_PORTAL_URL", "OPS_PORTAL_EMAIL", "OPS_PORTAL_PASSWORD"),
    "prometheus": ("PROMETHEUS_URL",),
    "signoz": ("SIGNOZ_URL", "SIGNOZ_API_KEY"),
    "flag audit": ("PRODUCT_API_URL", "PRODUCT_API_TOKEN"),
    "database diagnostics": ("DATABASE_URL",),
    "web sign-in": ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "GATEWAY_URL"),
}
# These have a default, or another use, too: being set makes nothing half-set.
SHARED = {"EMAIL_FROM", "GATEWAY_URL"}
