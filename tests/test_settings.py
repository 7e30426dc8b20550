"""The environment: defaults, what is on, and errors that name the variable and never tell a value."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from incidents.app.composition.needs import NEEDS, Integration
from incidents.app.settings import Settings, load_settings
from incidents.app.temporal_settings import SettingsError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        for variable in (name, name.upper()):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def integration(settings: Settings, name: str) -> Integration:
    return next(each for each in settings.integrations() if each.name == name)


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.temporal_address == "localhost:7233"
    assert settings.temporal_namespace == "default"
    assert settings.temporal_task_queue == "incidents"
    assert settings.runbook_file is None
    assert settings.evidence_url == (tmp_path / "evidence").as_uri()
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.probe_urls == {}
    assert not settings.slack_bot_token


def test_with_nothing_set_everything_but_evidence_is_off() -> None:
    states = load_settings().integrations()
    assert [each.name for each in states if each.on] == ["evidence"]
    assert not any(each.half_set for each in states)
    assert {each.name: each.reason for each in states}["zoom"] == (
        "ZOOM_ACCOUNT_ID and ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET are not set"
    )


def test_an_empty_or_blank_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        SLACK_BOT_TOKEN="",
        GITHUB_TOKEN="  \n",
        TEMPORAL_ADDRESS="",
        HTTP_TIMEOUT_SECONDS="",
        PROBE_URLS="",
    )
    assert not settings.is_on("slack")
    assert not settings.is_on("github")
    assert not integration(settings, "github").half_set
    assert settings.temporal_address == "localhost:7233"


def test_a_line_break_behind_a_secret_is_not_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, SLACK_BOT_TOKEN="xoxb-1\n")
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1"
    assert integration(settings, "slack") == Integration("slack", True, "SLACK_BOT_TOKEN set")


@pytest.mark.parametrize(("name", "needs"), NEEDS.items())
def test_each_integration_needs_all_of_its_variables(
    monkeypatch: pytest.MonkeyPatch, name: str, needs: tuple[str, ...]
) -> None:
    values = {"GITHUB_REPOSITORY": "a/b", "SMTP_URL": "smtp://x.example", "NTFY_URL": "https://ntfy.example/topic"}
    everything = {
        need: values.get(need, "https://x.example" if need.endswith(("_URL", "_ISSUER")) else "x") for need in needs
    }
    settings = load(monkeypatch, **everything)
    assert settings.is_on(name)
    assert integration(settings, name).on
    for missing in needs:
        if missing == "EMAIL_FROM":
            continue  # it has a default
        monkeypatch.delenv(missing)
        state = integration(load_settings(), name)
        assert not state.on
        assert f"{missing} is not set" in state.reason
        monkeypatch.setenv(missing, everything[missing])


def test_a_short_secret_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_SECRET must have at least 32 characters"):
        load(monkeypatch, GATEWAY_SECRET="a" * 31)
    assert load(monkeypatch, GATEWAY_SECRET="a" * 32).gateway_secret.get_secret_value() == "a" * 32


def test_half_set_credentials_are_an_error_line(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, ZOOM_ACCOUNT_ID="acc", ZOOM_CLIENT_ID="cid")
    assert integration(settings, "zoom") == Integration(
        "zoom", False, "error: ZOOM_CLIENT_SECRET is not set (set: ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID)", half_set=True
    )


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("SLACK_API_URL", "slack.example", "SLACK_API_URL must be a URL that begins with http:// or https://"),
        ("OPS_PORTAL_URL", "ftp://x", "OPS_PORTAL_URL must be a URL that begins with http:// or https://"),
        ("TEMPORAL_ADDRESS", "https://x:7233", "TEMPORAL_ADDRESS must be host:port, without https://"),
        ("TEMPORAL_TLS", "maybe", "TEMPORAL_TLS must be a valid boolean, unable to interpret input"),
        ("GITHUB_REPOSITORY", "https://github.com/a/b", "GITHUB_REPOSITORY must be owner/name"),
        ("HTTP_TIMEOUT_SECONDS", "0", "HTTP_TIMEOUT_SECONDS must be greater than 0"),
        *(
            ("NTFY_URL", url, "NTFY_URL must end with a topic, such as https://ntfy.example.com/incidents-3f9c27d1")
            for url in ("https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a.b", "https://ntfy.sh/a?b=c")
        ),
        ("NTFY_URL", "ntfy.sh/topic", "NTFY_URL must be a URL that begins with http:// or https://"),
        ("NTFY_TOPICS", '{"cto": "no topic"}', 'NTFY_TOPICS must be a JSON object, such as {"cto": "a topic"}'),
        (
            "NTFY_TOPICS",
            '{"cto": "x"}',
            "the environment must set NTFY_URL if NTFY_TOPICS is set: it names the server of the topics",
        ),
        (
            "PAGERDUTY_ROUTING_KEYS",
            "[]",
            'PAGERDUTY_ROUTING_KEYS must be a JSON object, such as {"cto": "an integration key"}',
        ),
        ("PROBE_URLS", "{", 'PROBE_URLS must be a JSON object, such as {"eu": "https://api.eu.example.com"}'),
        ("PROBE_URLS", "[]", 'PROBE_URLS must be a JSON object, such as {"eu": "https://api.eu.example.com"}'),
        ("PROBE_URLS", '{"eu": 5}', 'PROBE_URLS must be a JSON object, such as {"eu": "https://api.eu.example.com"}'),
        ("PROBE_URLS", '{"eu": "x"}', "PROBE_URLS must be a URL that begins with http:// or https://"),
    ],
)
def test_bad_values(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **{variable: value})
    assert str(caught.value) == problem


def test_errors_name_all_variables_on_one_line_and_tell_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "pa55word"
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, SIGNOZ_URL=f"ftp://me:{secret}@x", TEMPORAL_TLS=secret, SLACK_BOT_TOKEN=secret)
    shown = "".join(traceback.format_exception(caught.value)).replace('secret = "pa55word"', "")
    assert secret not in shown
    assert "SIGNOZ_URL" in str(caught.value)
    assert "TEMPORAL_TLS" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_secrets_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {name.upper(): "pa55word" for name, field in Settings.model_fields.items() if "Secret" in str(field)}
    assert len(secrets) >= 20
    secrets |= {"PAGERDUTY_ROUTING_KEYS": '{"cto": "pa55word"}', "SMTP_URL": "smtp://me:pa55word@host"}
    secrets |= {"UPDATES_WEBHOOK_URL": "https://chat.example/pa55word", "GATEWAY_SECRET": "pa55word" * 4}
    secrets |= {"NTFY_URL": "https://ntfy.example/pa55word", "NTFY_TOPICS": '{"cto": "pa55word"}'}
    secrets |= {"PAYLOAD_KEYS": f"2026-11:{'pa55word' * 5}pa4="}
    settings = load(monkeypatch, **secrets)
    assert settings.key_ring
    assert "pa55word" not in repr(settings.key_ring)
    assert "pa55word" not in repr(settings) + str(settings) + repr(settings.integrations())


def test_a_login_in_the_evidence_url_does_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, EVIDENCE_URL="sftp://me:pa55word@host/evidence")
    assert integration(settings, "evidence").reason == "goes to sftp://host/evidence"


def test_a_folder_is_an_evidence_url_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load(monkeypatch, EVIDENCE_URL="kept/here").evidence_url == (tmp_path / "kept/here").as_uri()


def test_an_address_of_ntfy_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, NTFY_URL="https://ntfy.example/prefix/topic_1/", NTFY_TOPICS='{"cto": "cto-1"}')
    assert settings.is_on("ntfy")
    assert settings.ntfy_topics["cto"].get_secret_value() == "cto-1"


def test_probe_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PROBE_URLS='{"eu": "http://127.0.0.1:1/eu"}')
    assert settings.probe_urls == {"eu": "http://127.0.0.1:1/eu"}


@pytest.mark.parametrize(
    ("portal", "signoz", "told"),
    [
        ("https://ops.acme.example", "https://signoz.acme.example", True),
        ("http://127.0.0.1:1/ops", "http://127.0.0.1:2/signoz", True),
        ("http://localhost:1", "http://localhost:2", True),
        ("https://ops.acme.example", "https://acme.signoz.cloud", False),
        ("https://acme.example", "https://other.example", False),
        ("https://10.0.0.1", "https://11.0.0.1", False),
        ("", "https://signoz.acme.example", False),
    ],
)
def test_the_edges_token_stays_behind_its_edge(
    monkeypatch: pytest.MonkeyPatch, portal: str, signoz: str, told: bool
) -> None:
    settings = load(monkeypatch, OPS_PORTAL_URL=portal, SIGNOZ_URL=signoz, OPS_PORTAL_EDGE_TOKEN="edge")
    assert bool(settings.signoz_edge_token) is told


def test_nothing_is_read_at_import_and_nothing_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = load(monkeypatch, TEMPORAL_NAMESPACE="prod")
    assert settings.temporal_namespace == "prod"
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "test")
    assert load_settings().temporal_namespace == "test"
    with pytest.raises(ValueError, match="frozen"):
        settings.temporal_namespace = "other"


def test_a_variable_that_is_no_setting_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PAGERDUTY_FROM="oncall@example.com") == load_settings()
    assert "pagerduty_from" not in Settings.model_fields
