"""Secrets as files: NAME_FILE in place of NAME, for each secret, and one line for what is wrong."""

from pathlib import Path

import pytest

from incidents.app.connection import _client_config
from incidents.app.encryption.key_ring import new_key
from incidents.app.setting_types import secret_variables
from incidents.app.settings import Settings, load_settings, read_variable
from incidents.app.temporal_settings import SettingsError, load_temporal_settings
from incidents.client.problems import ConnectionProblem


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("from-a-file\n", encoding="utf-8")
    return path


def test_every_secret_is_one_that_a_file_may_hold() -> None:
    known = set(secret_variables(Settings))
    assert {"SLACK_BOT_TOKEN", "PAYLOAD_KEYS", "SMTP_URL", "PAGERDUTY_ROUTING_KEYS", "DATABASE_URL"} < known
    assert {"NTFY_URL", "NTFY_TOPICS", "NTFY_TOKEN"} < known
    assert {"TEMPORAL_ADDRESS", "RUNBOOK_FILE", "SNS_TOPIC_ARNS"}.isdisjoint(known)


def test_a_secret_from_a_file(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(secret))
    assert load_settings().slack_bot_token.get_secret_value() == "from-a-file"


def test_a_secret_that_is_checked_and_one_in_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(new_key("ours"), encoding="utf-8")
    (tmp_path / "pagers").write_text('{"cto": "key-of-the-cto"}', encoding="utf-8")
    monkeypatch.setenv("PAYLOAD_KEYS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEYS_FILE", str(tmp_path / "pagers"))
    settings = load_settings()
    assert settings.key_ring.describe() == "on: ours encrypts"
    assert settings.pagerduty_routing_keys["cto"].get_secret_value() == "key-of-the-cto"
    assert load_temporal_settings().key_ring == settings.key_ring, "the command line reads the same keys"


def test_both_at_once_are_refused_and_no_value_is_told(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "from-the-environment")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(secret))
    monkeypatch.setenv("GITHUB_TOKEN_FILE", "/nowhere/token")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == (
        "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: unset one;"
        " GITHUB_TOKEN_FILE cannot be read: No such file or directory"
    )


def test_an_empty_file_counts_as_unset(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    secret.write_text("\n", encoding="utf-8")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(secret))
    assert not load_settings().slack_bot_token
    monkeypatch.setenv("SLACK_BOT_TOKEN", "from-the-environment")
    assert load_settings().slack_bot_token.get_secret_value() == "from-the-environment"


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"\xff\xfe", "names a file that is not UTF-8"), (b"x" * 70_000, "names a file of more than 65536 bytes")],
)
def test_another_file_than_was_meant(content: bytes, fault: str, monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    secret.write_bytes(content)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(secret))
    with pytest.raises(SettingsError, match=f"SLACK_BOT_TOKEN_FILE {fault}"):
        load_settings()


def test_the_keys_of_the_command_line_in_a_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_KEYS_FILE", "/nowhere/keys")
    with pytest.raises(SettingsError, match="PAYLOAD_KEYS_FILE cannot be read"):
        load_temporal_settings()


def test_the_api_key_of_the_connection(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY_FILE", str(secret))
    assert _client_config(load_temporal_settings())["api_key"] == "from-a-file"
    monkeypatch.setenv("TEMPORAL_API_KEY_FILE", "/nowhere/key")
    with pytest.raises(ConnectionProblem, match=r"TEMPORAL_API_KEY_FILE cannot be read.*Nothing was sent"):
        _client_config(load_temporal_settings())


def test_a_probes_variable(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    monkeypatch.setenv("PROBE_API_KEY_FILE", str(secret))
    monkeypatch.delenv("PROBE_API_KEY", raising=False)
    assert read_variable("PROBE_API_KEY") == "from-a-file"
    monkeypatch.setenv("PROBE_API_KEY", "another")
    with pytest.raises(SettingsError, match="are both set"):
        read_variable("PROBE_API_KEY")
