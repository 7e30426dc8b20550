"""Harmless calls that show whether credentials are accepted: what the sandbox's tests do not cover."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml

from incidents.vendors.access.access import missing_rights, server_time
from incidents.vendors.access.openid import OpenIdProvider
from incidents.vendors.errors import VendorNotFound, VendorUnavailable
from incidents.vendors.slack.access import SCOPES
from incidents.vendors.webhook import WebhookClient


def test_the_scopes_that_are_checked_are_those_of_the_apps_manifest() -> None:
    manifest = yaml.safe_load(Path("docs/slack-app-manifest.yaml").read_text(encoding="utf-8"))
    assert list(SCOPES) == manifest["oauth_config"]["scopes"]["bot"]


def test_the_servers_time_is_that_of_its_date() -> None:
    assert server_time({"date": "Mon, 23 Nov 2026 14:02:00 GMT"}) == datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
    assert server_time({}) is None
    assert server_time({"date": "soon"}) is None


def test_an_openid_provider_must_name_its_endpoints() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/realm/.well-known/openid-configuration"
        named = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://id.example.com/x")
        return httpx.Response(200, json=named if request.url.host == "whole" else {})

    transport = httpx.MockTransport(answer)
    assert OpenIdProvider("http://whole/realm", transport=transport).check_access().missing == ()
    with pytest.raises(VendorUnavailable, match="names no authorization_endpoint"):
        OpenIdProvider("http://empty/realm", transport=transport).check_access()


@pytest.mark.parametrize("status", [200, 405])
def test_a_webhook_that_takes_post_alone_answers(status: int) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status if request.method == "OPTIONS" else 500))
    WebhookClient("http://hook/secret", transport=transport).check_access()


def test_a_webhook_that_is_gone() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404))
    with pytest.raises(VendorNotFound):
        WebhookClient("http://hook/secret", transport=transport).check_access()


def test_rights_to_write_are_those_of_the_nearest_folder(tmp_path: Path) -> None:
    assert missing_rights(tmp_path / "new" / "deep") == ()
    (tmp_path / "file").touch()
    assert missing_rights(tmp_path / "file" / "below") == ("permission to write",)
