"""Grafana's built-in Alertmanager: as Alertmanager, for a token, and with labels of its own."""

import httpx

from sandbox.server import RunningSandbox

API = "/grafana/api/alertmanager/grafana/api/v2"


def test_it_takes_its_token_only(sandbox: RunningSandbox, http: httpx.Client) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert http.get(f"{API}/silences", headers=headers).status_code == 401
    token = {"authorization": f"Bearer {sandbox.environment()['GRAFANA_TOKEN']}"}
    assert http.get(f"{API}/silences", headers=token).json() == []


def test_alerts_are_listed_with_labels_of_its_own(sandbox: RunningSandbox, http: httpx.Client) -> None:
    token = {"authorization": f"Bearer {sandbox.environment()['GRAFANA_TOKEN']}"}
    http.post(f"{API}/alerts", json=[{"labels": {"alertname": "Slow"}}], headers=token)
    [row] = http.get(f"{API}/alerts", headers=token).json()
    assert row["labels"] == {"alertname": "Slow", "__alert_rule_uid__": "dd2f0260", "__orgId__": "1"}
    assert http.get("/alertmanager/api/v2/alerts").json() == []
