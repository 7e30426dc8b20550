"""The environment variables that point the program at a sandbox (the names of the design's outside contract)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.state import Credentials
from sandbox.vendors.product import REGIONS

PATHS = {
    "SLACK_API_URL": "/slack/api/",
    "SENDGRID_API_URL": "/sendgrid",
    "STATUSPAGE_API_URL": "/statuspage/v1",
    "GITHUB_API_URL": "/github",
    "PAGERDUTY_API_URL": "/pagerduty",
    "PAGERDUTY_EVENTS_URL": "/pagerduty-events",
    "ZOOM_API_URL": "/zoom/v2",
    "ZOOM_OAUTH_URL": "/zoom-oauth",
    "SIGNOZ_URL": "/signoz",
    "PROMETHEUS_URL": "/prometheus",
    "ALERTMANAGER_URL": "/alertmanager",
    "GRAFANA_URL": "/grafana",
    "UPDATES_WEBHOOK_URL": "/webhook/updates",
    "OPS_PORTAL_URL": "/ops",
    "PRODUCT_API_URL": "/product/eu",
}

NTFY_PATH = "/ntfy/incidents-sandbox"
"""For `NTFY_URL`. It is not among the paths above: the sandbox has PagerDuty, and one pager is used."""

KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"),
    *("TERM", "COLUMNS", "LINES", "NO_COLOR", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONUNBUFFERED"),
)
"""Variables that say nothing of vendors, nor of a Temporal server."""


def without_vendors(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that say nothing of vendors: what a shell has exported for the real ones stays out of sight."""
    return {name: variables[name] for name in KEPT if name in variables}


def environment(url: str, credentials: Credentials) -> dict[str, str]:
    """Base URLs and credentials of all vendors, and the probe targets of the product.

    A credential's variable is its field's name in capitals.
    """
    probes = {region: f"{url}/product/{region}" for region in REGIONS}
    return {
        **{name.upper(): value for name, value in vars(credentials).items()},
        **{name: url + path for name, path in PATHS.items()},
        "PROBE_URLS": json.dumps(probes),
    }
