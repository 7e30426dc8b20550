"""`incident token`: a token is shown once, listed without its text, and revoked."""

from pathlib import Path

import pytest

from tests.cli.conftest import Incidental, reason


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "tokens.json"
    monkeypatch.setenv("API_TOKENS", str(path))
    return path


def test_create_list_revoke(incident: Incidental, tokens: Path) -> None:
    made = incident(
        "token", "create", "ann", "--scope", "read", "--scope", "respond", "--for", "90d", "--json"
    ).document
    assert (made["name"], made["scopes"]) == ("ann", ["read", "respond"])
    assert made["token"].startswith(f"incident_{made['id']}_")
    shown = incident("token", "create", "nightly", "--scope", "alerts").out
    assert "The token, shown only now:\nincident_" in shown
    listed = incident("token", "list").out
    assert f"{made['id']}  ann  read,respond" in listed
    assert "nightly  alerts" in listed
    assert made["token"] not in listed + tokens.read_text(encoding="utf-8")
    assert incident("token", "revoke", made["id"]).out.startswith(f"Revoked: {made['id']}  ann")
    assert [row["name"] for row in incident("token", "list", "--json").document] == ["nightly"]


def test_what_is_wrong_is_one_line(incident: Incidental, tokens: Path) -> None:
    assert incident("token", "list").out.startswith("There are no tokens")
    unknown = incident("token", "revoke", "zz")
    assert (unknown.status, "There is no token 'zz'. Nothing was changed." in reason(unknown)) == (1, True)
    assert incident("token", "create", "ann").status == 2, "a token without a scope is good for nothing"
    assert incident("token", "create", "ann", "--scope", "all").status == 2
    for length in ("soon", "0m", "999999999d"):
        assert incident("token", "create", "ann", "--scope", "read", "--for", length).status == 2
    tokens.write_text("[", encoding="utf-8")
    assert "is not a file of tokens" in reason(incident("token", "list"))
