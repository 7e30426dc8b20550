"""What is read of each payload of `tests/fixtures/alerts`."""

from typing import NamedTuple


class Expected(NamedTuple):
    """What is read of one alert. `labels`: some of them."""

    title: str
    firing: bool
    labels: dict[str, str]
    link: str = ""


HIGH = {"alertname": "HighErrorRate", "service": "checkout", "severity": "critical"}
GRAPH = "http://vm:19090/graph?g0.expr=demo_error_ratio+%3E+0.05&g0.tab=1"
MONITOR = {
    "alertname": "Checkout p99 latency is high on region:eu-west-1",
    "service": "checkout",
    "region": "eu-west-1",
    "environment": "production",
    "team": "payments",
    "monitor": "14271",
}
ALARM = {
    "alertname": "checkout-5xx",
    "account": "123456789012",
    "region": "eu-west-1",
    "metric": "HTTPCode_Target_5XX_Count",
    "namespace": "AWS/ApplicationELB",
    "LoadBalancer": "app/checkout/50dc6c495c0c9188",
}
CONSOLE = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/checkout-5xx"
METRIC = {"alertname": "Too many errors", "service": "checkout", "environment": "production"}
RULE = "https://sentry.io/organizations/acme/alerts/rules/details/7/?alert=1"
ZULIP = "https://grafana.example.com/alerting/grafana"
OWN = {"service": "flag-evaluation", "environment": "production", "severity": "critical", "team": "core"}
EXPECTED: dict[str, list[Expected]] = {
    "alertmanager/firing_group_of_2": [
        Expected("Error ratio on web-1 is 0.31", True, HIGH | {"instance_name": "web-1"}, GRAPH),
        Expected("Error ratio on web-2 is 0.31", True, HIGH | {"instance_name": "web-2"}, GRAPH),
    ],
    "cloudevents/built_alert": [
        Expected(
            "nightly-billing failed",
            True,
            {
                "alertname": "nightly-billing failed",
                "service": "billing",
                "severity": "high",
                "job": "nightly-billing",
                "cloudevents_source": "/monitoring/batch",
                "cloudevents_type": "com.example.job.failed",
            },
            "https://jobs.example.com/runs/91",
        )
    ],
    "cloudwatch/built_raw_alarm": [Expected("checkout-5xx", True, ALARM, CONSOLE)],
    "cloudwatch/built_raw_composite_alarm": [
        Expected("checkout-down", True, {"region": "eu-west-1"}, CONSOLE.replace("checkout-5xx", "checkout-down"))
    ],
    "cloudwatch/built_raw_insufficient_data": [],
    "cloudwatch/built_sns_alarm": [Expected("checkout-5xx", True, ALARM, CONSOLE)],
    "cloudwatch/built_sns_ok": [Expected("checkout-5xx", False, ALARM, CONSOLE)],
    "datadog/built_triggered": [
        Expected(
            "[P2] [Triggered on {region:eu-west-1,service:checkout}] Checkout p99 latency is high",
            True,
            MONITOR | {"severity": "error", "priority": "P2"},
            "https://app.datadoghq.eu/event/event?id=7311042",
        )
    ],
    "datadog/built_renotify": [
        Expected(
            "[P2] [Re-notify on {region:eu-west-1,service:checkout}] Checkout p99 latency is high",
            True,
            MONITOR | {"severity": "error"},
            "https://app.datadoghq.eu/event/event?id=7311070",
        )
    ],
    "datadog/built_recovered": [
        Expected(
            "[P2] [Recovered on {region:eu-west-1,service:checkout}] Checkout p99 latency is high",
            False,
            MONITOR,
            "https://app.datadoghq.eu/event/event?id=7311099",
        )
    ],
    "grafana/docs_firing_2_alerts": [
        Expected(
            "This alert was triggered for zone us-1",
            True,
            {"alertname": "High memory usage", "team": "blue", "zone": "us-1"},
            "https://play.grafana.org/alerting/1afz29v7z/edit",
        ),
        Expected(
            "This alert was triggered for zone eu-1",
            True,
            {"alertname": "High CPU usage", "team": "blue", "zone": "eu-1"},
            "https://play.grafana.org/alerting/d1rdpdv7k/edit",
        ),
    ],
    "grafana/zulip_v11_firing_values": [
        Expected(
            "High memory usage",
            True,
            {"alertname": "Memory (copy)", "debug": "true", "grafana_folder": "device"},
            "https://play.grafana.org/alerting/grafana/dd2f0260-3cfc-4c65-a4c4-f3f632c551f4/view?orgId=1",
        )
    ],
    "grafana/zulip_v9_mixed_firing_and_resolved": [
        Expected(
            "This is a summary field, failure on badhost.example.com",
            False,
            {"alertname": "Test alert", "instance": "badhost.example.com"},
            f"{ZULIP}/zTjxv_C7k/view",
        ),
        Expected(
            "This is a summary field, failure on otherhost.example.com",
            False,
            {"alertname": "Test alert", "instance": "otherhost.example.com"},
            f"{ZULIP}/zTjxv_C7k/view",
        ),
        Expected(
            "This is a summary field, failure on <no value>",
            True,
            {"alertname": "Second webhook test", "test": "true"},
            f"{ZULIP}/_0rkK_C7z/view",
        ),
    ],
    "grafana/zulip_v9_resolved": [
        Expected(
            "This is a summary field, failure on <no value>",
            False,
            {"alertname": "Test alert", "test": "true"},
            f"{ZULIP}/zTjxv_C7k/view",
        )
    ],
    "json/built_firing": [Expected("Evaluations fail", True, OWN, "https://example.com")],
    "json/built_resolved": [Expected("Evaluations fail", False, OWN, "https://example.com")],
    "pagerduty/docs_incident_priority_updated": [
        Expected(
            "A little bump in the road",
            True,
            {"service": "API Service", "severity": "high", "priority": "P1"},
            "https://acme.pagerduty.com/incidents/PGR0VU2",
        )
    ],
    "pagerduty/docs_service_updated": [],
    "pagerduty/zulip_acknowledged_v3": [],
    "pagerduty/zulip_annotated_v3": [],
    "pagerduty/zulip_resolved_v3": [
        Expected("Test Incident", False, {"service": "pig208"}, "https://pig208.pagerduty.com/incidents/PCPZE64")
    ],
    "pagerduty/zulip_triggered_v3": [
        Expected(
            "Test Incident 3",
            True,
            {"service": "pig208", "severity": "high"},
            "https://pig208.pagerduty.com/incidents/PFQZPSY",
        )
    ],
    "pagerduty/zulip_unacknowledged_v3": [],
    "sentry/built_event_alert_triggered": [
        Expected(
            "PaymentDeclined: the gateway answered 502",
            True,
            {"service": "checkout", "severity": "error", "alertname": "More than 50 failed payments in 5 minutes"},
            "https://sentry.io/organizations/acme/issues/1638821441/events/9fac2ceed9344f2bbfdd1fdacb0ed9b1/",
        )
    ],
    "sentry/built_issue_created": [],
    "sentry/built_issue_resolved": [
        Expected("PaymentDeclined: the gateway answered 502", False, {"service": "checkout"})
    ],
    "sentry/built_metric_alert_critical": [
        Expected("Critical: Too many errors", True, METRIC | {"severity": "critical"}, RULE)
    ],
    "sentry/built_metric_alert_resolved": [Expected("Resolved: Too many errors", False, METRIC, RULE)],
    "signoz/docs_firing": [
        Expected(
            "please check the instance example1", True, {"alertname": "DiskRunningFull", "severity": "critical"}, ""
        )
    ],
}
