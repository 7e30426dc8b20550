"""What people call each vendor. An error carries the short name, which keys and metrics use, and this one."""

DISPLAY_NAMES = {
    "alertmanager": "Alertmanager",
    "evidence": "the evidence store",
    "flag_audit": "the flag audit",
    "github": "GitHub",
    "grafana": "Grafana",
    "ntfy": "ntfy",
    "openid": "the OpenID Connect provider",
    "ops_portal": "the Ops Portal",
    "pagerduty": "PagerDuty",
    "postgres": "PostgreSQL",
    "prometheus": "Prometheus",
    "sendgrid": "SendGrid",
    "signoz": "SigNoz",
    "slack": "Slack",
    "sns": "SNS",
    "smtp": "the SMTP server",
    "status site": "the status site",
    "statuspage": "Statuspage",
    "tracker": "the ticket folder",
    "webhook": "the updates webhook",
    "zoom": "Zoom",
}
"""A vendor without an entry is called by its short name."""
