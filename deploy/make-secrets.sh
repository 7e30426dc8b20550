#!/bin/sh
# Makes secrets/, with an empty file for each secret of docker-compose.yml that has none yet. An empty one counts as unset;
# Grafana's password is made at random. The folder is its owner's alone; its files can be read by the containers' users.
set -eu

cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 700 secrets
for name in \
    payload_keys \
    metrics_token \
    gateway_token \
    gateway_secret \
    oidc_client_secret \
    slack_bot_token \
    slack_app_token \
    slack_signing_secret \
    sendgrid_api_key \
    smtp_url \
    updates_webhook_url \
    statuspage_api_key \
    github_token \
    pagerduty_routing_key \
    pagerduty_routing_keys \
    pagerduty_api_key \
    pagerduty_webhook_secret \
    pagerduty_alerts_secret \
    ntfy_url \
    ntfy_topics \
    ntfy_token \
    github_webhook_secret \
    sentry_client_secret \
    zoom_client_secret \
    ops_portal_password \
    ops_portal_edge_token \
    signoz_api_key \
    grafana_token \
    product_api_token \
    database_url \
    grafana_admin_password; do
    file="secrets/$name"
    [ -e "$file" ] || : >"$file"
    chmod 444 "$file"
done
if [ ! -s secrets/grafana_admin_password ]; then
    chmod 644 secrets/grafana_admin_password
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >secrets/grafana_admin_password
    chmod 444 secrets/grafana_admin_password
fi
echo "Secrets are in secrets/. To set one: chmod 644 secrets/NAME, write it, chmod 444 secrets/NAME, restart worker and gateway."
