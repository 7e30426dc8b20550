"""84: an alert comes from who has the token, or from a source that signs: Sentry, PagerDuty, our topics at SNS."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

from incidents.app.api_tokens import ApiTokens
from incidents.app.settings import Settings, load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.client.delivery.delivery import Delivery
from incidents.client.delivery.submission import Submission
from incidents.client.intake import Started
from incidents.gateway.alert_endpoints import AlertEndpoint
from incidents.gateway.alert_senders import AlertSenders
from incidents.gateway.metrics import Webhooks
from incidents.gateway.sns import read_message
from incidents.vendors.sns import SnsClient
from tests.support.hostile import broken, encoded
from tests.support.thoroughness import by_thoroughness

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "alerts"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
HOST = "https://sns.eu-west-1.amazonaws.com"


def sample(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")))


class Taken:
    """A delivery that only remembers."""

    def __init__(self) -> None:
        self.submissions: list[Submission] = []

    async def deliver(self, submission: Submission, give_up_after: timedelta) -> list[Started]:
        self.submissions.append(submission)
        return []


def alarm() -> dict[str, Any]:
    """Return an alarm as SNS sends it now; the sample is of another day."""
    return {name: value for name, value in sample("cloudwatch/built_sns_alarm").items() if name != "Timestamp"}


class Aws:
    """SNS with its key; `asked`: the URLs that were fetched."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        start = datetime(2026, 1, 1, tzinfo=UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=365))
            .sign(self.key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )
        self.asked: list[str] = []
        self.status = 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return httpx.Response(self.status, content=self.certificate)

    def sign(self, message: dict[str, Any], version: str = "2") -> bytes:
        """Sign a message, as of now if it has no time."""
        message = {"Timestamp": datetime.now(UTC).isoformat(), **message, "SignatureVersion": version, "Signature": ""}
        found = read_message(json.dumps(message).encode())
        assert found is not None
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = self.key.sign(found.signed_text.encode(), padding.PKCS1v15(), algorithm)
        return json.dumps(message | {"Signature": base64.b64encode(signature).decode()}).encode()


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    def build(**values: str) -> Settings:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return build


@pytest.fixture
def http(aws: Aws, taken: Taken, configured: Callable[..., Settings]) -> httpx.AsyncClient:
    found = configured(
        GATEWAY_TOKEN="token",
        SENTRY_CLIENT_SECRET="sentry",
        PAGERDUTY_ALERTS_SECRET="pager",
        SNS_TOPIC_ARNS=f"{TOPIC}, {TOPIC}-other",
    )
    senders = AlertSenders(found, SnsClient(transport=httpx.MockTransport(aws.answer)), ApiTokens(found.api_tokens))
    endpoint = AlertEndpoint(cast(Delivery, taken), senders, Webhooks(CollectorRegistry()))
    app = Starlette(routes=[Route("/alerts/{source}", endpoint.alerts, methods=["POST"])])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


def hmac_of(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_84_sentry_is_known_by_its_signature(http: httpx.AsyncClient, taken: Taken) -> None:
    body = json.dumps(sample("sentry/built_metric_alert_critical")).encode()
    for secret, status in (("wrong", 401), ("sentry", 202)):
        headers = {"sentry-hook-signature": hmac_of(secret, body)}
        assert (await http.post("/alerts/sentry", content=body, headers=headers)).status_code == status
    assert [submission.source for submission in taken.submissions] == ["sentry"]


async def test_84_pagerduty_is_known_by_its_signature(http: httpx.AsyncClient, taken: Taken) -> None:
    body = json.dumps(sample("pagerduty/zulip_triggered_v3")).encode()
    for secret, status in (("wrong", 401), ("pager", 202)):
        headers = {"x-pagerduty-signature": f"v1={hmac_of(secret, body)}"}
        assert (await http.post("/alerts/pagerduty", content=body, headers=headers)).status_code == status
    assert [submission.source for submission in taken.submissions] == ["pagerduty"]


async def test_84_a_signature_of_one_source_opens_no_other_path(http: httpx.AsyncClient, aws: Aws) -> None:
    body = aws.sign(alarm())
    headers = {
        "sentry-hook-signature": hmac_of("sentry", body),
        "x-pagerduty-signature": f"v1={hmac_of('pager', body)}",
    }
    for path in ("/alerts/grafana", "/alerts/json", "/alerts/other"):
        assert (await http.post(path, content=body, headers=headers)).status_code == 401


async def test_84_the_token_counts_for_every_source(http: httpx.AsyncClient, taken: Taken) -> None:
    token = {"authorization": "Bearer token"}
    for name in ("sentry/built_metric_alert_critical", "cloudwatch/built_sns_alarm", "cloudwatch/built_raw_alarm"):
        path = f"/alerts/{name.partition('/')[0]}"
        assert (await http.post(path, json=sample(name), headers=token)).status_code == 202
    assert len(taken.submissions) == 3


async def test_what_is_about_no_alert_is_accepted_and_ignored(http: httpx.AsyncClient, taken: Taken) -> None:
    answer = await http.post(
        "/alerts/pagerduty", json=sample("pagerduty/zulip_annotated_v3"), headers={"authorization": "Bearer token"}
    )
    assert (answer.status_code, answer.json()) == (202, {"action": "ignored"}), "three refusals end a subscription"
    assert taken.submissions == []


# --- SNS ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
async def test_84_an_alarm_that_sns_signed_is_taken(
    http: httpx.AsyncClient, aws: Aws, taken: Taken, version: str
) -> None:
    body = aws.sign(alarm(), version)
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == 202
    [submission] = taken.submissions
    assert [alert.name for alert in submission.alerts] == ["checkout-5xx"]
    without_subject = {k: v for k, v in alarm().items() if k != "Subject"}
    assert (await http.post("/alerts/cloudwatch", content=aws.sign(without_subject, version))).status_code == 202


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "{}"},
        {"Timestamp": datetime.now(UTC).isoformat()},
        {"Subject": "other"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Signature": "RVhBTVBMRQ=="},
        {"Signature": "no base64!"},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem"},
        {"TopicArn": f"{TOPIC}-other"},
    ],
)
async def test_84_what_was_changed_after_sns_signed_it_is_not_taken(
    http: httpx.AsyncClient, aws: Aws, taken: Taken, changed: dict[str, str]
) -> None:
    body = json.loads(aws.sign(alarm())) | changed
    assert (await http.post("/alerts/cloudwatch", json=body)).status_code == 401
    assert taken.submissions == []
    assert all(url.startswith(HOST) for url in aws.asked)


@pytest.mark.parametrize(
    ("time", "status"),
    [
        (timedelta(), 202),
        (-timedelta(hours=1), 202),
        (timedelta(minutes=5), 202),
        (-timedelta(hours=2), 401),
        (timedelta(hours=2), 401),
    ],
)
async def test_84_what_sns_signed_long_ago_is_not_taken_again(
    http: httpx.AsyncClient, aws: Aws, time: timedelta, status: int
) -> None:
    body = aws.sign(alarm() | {"Timestamp": (datetime.now(UTC) + time).isoformat()})
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == status


@pytest.mark.parametrize("time", ["", "today", "2026-11-23T09:00:00"])
async def test_84_what_has_no_time_is_not_taken(http: httpx.AsyncClient, aws: Aws, time: str) -> None:
    body = aws.sign(alarm() | {"Timestamp": time})
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == 401


async def test_84_a_topic_of_somebody_else_is_not_taken_though_sns_signed_it(
    http: httpx.AsyncClient, aws: Aws, taken: Taken
) -> None:
    other = alarm() | {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:alarms"}
    assert (await http.post("/alerts/cloudwatch", content=aws.sign(other))).status_code == 401
    assert (taken.submissions, aws.asked) == ([], []), "not even its certificate is asked for"


async def test_84_a_certificate_that_is_none_proves_nothing(http: httpx.AsyncClient, aws: Aws) -> None:
    body = aws.sign(alarm())
    aws.certificate = b"<html>"
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == 401


async def test_while_sns_does_not_answer_the_alarm_is_to_be_sent_again(
    http: httpx.AsyncClient, aws: Aws, taken: Taken
) -> None:
    body = aws.sign(alarm())
    aws.status = 500
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == 503
    aws.status = 200
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == 202
    assert len(taken.submissions) == 1


@settings(
    max_examples=by_thoroughness(25, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=encoded(broken(sample("cloudwatch/built_sns_alarm"))))
async def test_105_a_message_that_nobody_signed_is_refused_whatever_it_holds(
    http: httpx.AsyncClient, aws: Aws, taken: Taken, body: bytes
) -> None:
    assert (await http.post("/alerts/cloudwatch", content=body)).status_code == 401
    assert all(url.startswith(f"{HOST}/SimpleNotificationService-") for url in aws.asked)
    assert taken.submissions == []


def subscription(url: str = f"{HOST}/?Action=ConfirmSubscription&Token=2336") -> dict[str, Any]:
    kept = ("MessageId", "TopicArn", "SigningCertURL")
    found = {name: alarm()[name] for name in kept}
    return found | {"Type": "SubscriptionConfirmation", "Message": "Confirm", "Token": "2336", "SubscribeURL": url}


async def test_a_subscription_of_our_topic_is_confirmed(http: httpx.AsyncClient, aws: Aws, taken: Taken) -> None:
    answer = await http.post("/alerts/cloudwatch", content=aws.sign(subscription()))
    assert (answer.status_code, answer.json()) == (202, {"action": "confirmed"})
    assert aws.asked[-1] == f"{HOST}/?Action=ConfirmSubscription&Token=2336"
    assert taken.submissions == []


async def test_84_a_subscription_is_confirmed_at_hosts_of_sns_only(http: httpx.AsyncClient, aws: Aws) -> None:
    evil = subscription("https://evil.example/?Action=ConfirmSubscription")
    answer = await http.post("/alerts/cloudwatch", content=aws.sign(evil))
    assert answer.json() == {"action": "ignored"}
    assert all(url.startswith(HOST) for url in aws.asked)


async def test_84_the_token_alone_confirms_no_subscription(http: httpx.AsyncClient, aws: Aws) -> None:
    forged = json.loads(aws.sign(subscription())) | {"Signature": "RVhBTVBMRQ=="}
    answer = await http.post("/alerts/cloudwatch", json=forged, headers={"authorization": "Bearer token"})
    assert answer.json() == {"action": "ignored"}
    assert not [url for url in aws.asked if "ConfirmSubscription" in url]


async def test_the_end_of_a_subscription_is_ignored(http: httpx.AsyncClient, aws: Aws) -> None:
    body = aws.sign(subscription() | {"Type": "UnsubscribeConfirmation"})
    assert (await http.post("/alerts/cloudwatch", content=body)).json() == {"action": "ignored"}
    assert not [url for url in aws.asked if "ConfirmSubscription" in url]


def test_topics_are_named_by_their_arns(configured: Callable[..., Settings]) -> None:
    assert configured(SNS_TOPIC_ARNS=TOPIC).sns_topic_arns == (TOPIC,)
    assert configured().sns_topic_arns == ()
    with pytest.raises(SettingsError, match="SNS_TOPIC_ARNS must be ARNs"):
        configured(SNS_TOPIC_ARNS="alarms")


# --- CloudEvents in binary mode -----------------------------------------------------------------------------------


async def test_an_event_whose_attributes_are_headers_is_the_same_event(http: httpx.AsyncClient, taken: Taken) -> None:
    event = sample("cloudevents/built_alert")
    headers = {f"ce-{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
    token = {"authorization": "Bearer token"}
    assert (await http.post("/alerts/cloudevents", json=event, headers=token)).status_code == 202
    assert (await http.post("/alerts/cloudevents", json=event["data"], headers=token | headers)).status_code == 202
    structured, binary = (submission.alerts for submission in taken.submissions)
    assert structured == binary
    refused = await http.post("/alerts/cloudevents", content=b"no JSON", headers=token | headers)
    assert refused.status_code == 400
