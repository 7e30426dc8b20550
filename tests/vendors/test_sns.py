"""SNS: what its messages name is asked for at hosts of SNS only."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.vendors.errors import VendorRejected, VendorUnavailable
from incidents.vendors.sns import SnsClient

HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms&Token=2336"


@pytest.fixture
def sns(script: Any) -> SnsClient:
    return SnsClient(transport=script.transport)


def test_a_certificate_is_asked_for_once(sns: SnsClient, script: Any) -> None:
    script.answer(200, "PEM")
    assert sns.certificate(CERTIFICATE) == sns.certificate(CERTIFICATE) == b"PEM"
    assert len(script.asked) == 1
    assert script.last.path == "/SimpleNotificationService-0123456789abcdef.pem"


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "ap-southeast-2", "cn-north-1.amazonaws.com.cn"])
def test_every_region_has_its_host(sns: SnsClient, script: Any, region: str) -> None:
    script.answer(200, "PEM")
    host = f"https://sns.{region}" if region.endswith(".cn") else f"https://sns.{region}.amazonaws.com"
    assert sns.certificate(CERTIFICATE.replace(HOST, host)) == b"PEM"


def test_a_subscription_is_confirmed_at_its_url(sns: SnsClient, script: Any) -> None:
    script.answer(200, "<ConfirmSubscriptionResponse/>")
    sns.confirm(CONFIRM)
    assert (script.last.method, script.last.path) == ("GET", "/")
    assert script.last.query["Token"] == ["2336"]


@pytest.mark.parametrize(
    "host",
    [
        "http://sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com.evil.example",
        "https://evil.example",
        "https://sns.eu-west-1.amazonaws.com:8443",
        "https://me@sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com@evil.example",
        "https://bucket.s3.amazonaws.com",
        "https://sns.s3.amazonaws.com",
        "https://sns.s3-us-west-2.amazonaws.com",
        "https://sns.s3-website-us-east-1.amazonaws.com",
        "https://sns.amazonaws.com",
        "https://169.254.169.254",
        "https://sns.a/b.amazonaws.com",
        "https://[",
        "file://sns.eu-west-1.amazonaws.com",
        "",
    ],
)
def test_no_other_host_is_ever_asked(sns: SnsClient, script: Any, host: str) -> None:
    for ask, url in ((sns.certificate, CERTIFICATE), (sns.confirm, CONFIRM)):
        with pytest.raises(VendorRejected):
            ask(url.replace(HOST, host))
    assert script.asked == []


def test_no_other_path_of_it_is_asked_either(sns: SnsClient, script: Any) -> None:
    for url in (f"{HOST}/other.pem", f"{CERTIFICATE}?x=1", f"{HOST}/?Action=ConfirmSubscription"):
        with pytest.raises(VendorRejected):
            sns.certificate(url)
    for url in (f"{HOST}/?Action=DeleteTopic", HOST):
        with pytest.raises(VendorRejected):
            sns.confirm(url)
    assert script.asked == []


def test_a_failure_is_not_remembered(sns: SnsClient, script: Any) -> None:
    script.answer(500, "").answer(200, "PEM")
    with pytest.raises(VendorUnavailable):
        sns.certificate(CERTIFICATE)
    assert sns.certificate(CERTIFICATE) == b"PEM"
