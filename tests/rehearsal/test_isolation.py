"""A rehearsal reaches the sandbox and nothing else."""

import os
import socket

import pytest

from incidents.app.settings import load_settings
from incidents.rehearsal.isolation import Unreachable, only


def test_credentials_of_real_vendors_are_out_of_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-real")
    monkeypatch.setenv("PROBE_API_KEY", "real")
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example")
    before = dict(os.environ)
    with only("http://127.0.0.1:1", {"GITHUB_TOKEN": "sandbox"}):
        settings = load_settings()
        assert not settings.slack_bot_token
        assert not settings.smtp_url
        assert settings.github_token.get_secret_value() == "sandbox"
        assert "PROBE_API_KEY" not in os.environ
    assert dict(os.environ) == before


def test_no_socket_leads_anywhere_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sandbox, socket.create_server(("127.0.0.1", 0)) as vendor:
        url = f"http://127.0.0.1:{sandbox.getsockname()[1]}"
        with only(url, {}):
            socket.create_connection(sandbox.getsockname()).close()
            with pytest.raises(Unreachable):
                socket.create_connection(vendor.getsockname())
            with pytest.raises(Unreachable):
                socket.getaddrinfo("slack.com", 443)
            with pytest.raises(Unreachable):
                socket.create_connection(("192.0.2.1", 443))
            with pytest.raises(Unreachable), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                datagrams.sendto(b"x", ("192.0.2.1", 53))
        socket.create_connection(vendor.getsockname()).close()
