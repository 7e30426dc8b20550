"""Grafana: Alertmanager's API below a path of its own, with a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.vendors.errors import VendorUnauthorized
from incidents.vendors.monitoring.grafana import GrafanaClient

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def grafana(script: Any) -> GrafanaClient:
    return GrafanaClient("https://g.example/grafana/", "glsa_secret", transport=script.transport)


def test_a_silence_goes_to_the_built_in_alertmanager_with_the_token(grafana: GrafanaClient, script: Any) -> None:
    script.answer(202, {"silenceID": "s1"})
    assert grafana.create_silence({"service": "eval"}, START, START + timedelta(hours=1), "ann", "[inc-1]") == "s1"
    assert (script.last.method, script.last.path) == ("POST", "/grafana/api/alertmanager/grafana/api/v2/silences")
    assert script.last.headers["authorization"] == "Bearer glsa_secret"


def test_firing_alerts_are_named_as_the_webhook_names_them(grafana: GrafanaClient, script: Any) -> None:
    labels = {"alertname": "Slow", "grafana_folder": "api"}
    script.answer(200, [{"labels": labels | {"__alert_rule_uid__": "u1", "__orgId__": "1"}}])
    assert grafana.firing("Slow") == [labels]


def test_no_error_shows_the_token(grafana: GrafanaClient, script: Any) -> None:
    script.answer(401, {"message": "Invalid API key glsa_secret"})
    with pytest.raises(VendorUnauthorized) as refused:
        grafana.firing("Slow")
    assert "glsa_secret" not in str(refused.value)
    assert refused.value.vendor == "grafana"
