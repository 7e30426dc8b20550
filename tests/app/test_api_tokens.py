"""84: tokens are kept as hashes, found by their text, and end when they are revoked or expire."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incidents.app.api_tokens import ApiTokens, Scope, TokensUnusable

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


def test_84_only_the_hash_is_kept_and_only_this_user_can_read_it(path: Path) -> None:
    token, text = ApiTokens(path).create("ann", (Scope.READ, Scope.RESPOND, Scope.READ), NOW)
    kept = path.read_text(encoding="utf-8")
    assert text.rpartition("_")[2] not in kept
    assert token.digest in kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token.scopes == (Scope.READ, Scope.RESPOND)
    assert ApiTokens(path).find(text, NOW) == token


def test_84_what_is_not_exactly_a_token_is_none(path: Path) -> None:
    tokens = ApiTokens(path)
    token, text = tokens.create("ann", (Scope.READ,), NOW)
    _, other = tokens.create("bob", (Scope.READ,), NOW)
    secret_of_other = other.split("_", 2)[2]
    for wrong in (
        "",
        "incident",
        text[:-1],
        text + "x",
        text.upper(),
        text.removeprefix("incident"),
        f"incident_{token.id}_{token.digest}",
        f"incident_{token.id}_{secret_of_other}",
        f"incident_{token.id}_",
        "incident_nosuch_",
        "\ud800",
    ):
        assert tokens.find(wrong, NOW) is None, wrong


def test_84_a_token_ends(path: Path) -> None:
    tokens, elsewhere = ApiTokens(path), ApiTokens(path)
    short, text = tokens.create("ann", (Scope.READ,), NOW, timedelta(hours=1))
    kept, other = tokens.create("bob", (Scope.READ,), NOW)
    assert elsewhere.find(text, NOW + timedelta(minutes=59)) == short
    assert elsewhere.find(text, NOW + timedelta(hours=1)) is None
    assert tokens.revoke("nosuch") is None
    assert tokens.revoke(kept.id) == kept
    assert elsewhere.find(other, NOW) is None, "in another process, too"
    assert [token.name for token in elsewhere.listed()] == ["ann"]


def test_84_changes_made_at_the_same_time_are_all_kept(path: Path) -> None:
    """A revoked token that came back by a lost change would be accepted again."""
    revoked, text = ApiTokens(path).create("old", (Scope.READ,), NOW)
    with ThreadPoolExecutor(8) as pool:
        creating = [pool.submit(ApiTokens(path).create, f"n{n}", (Scope.READ,), NOW) for n in range(40)]
        pool.submit(ApiTokens(path).revoke, revoked.id).result()
        made = {job.result()[0].id for job in creating}
    assert {token.id for token in ApiTokens(path).listed()} == made
    assert ApiTokens(path).find(text, NOW) is None


def test_a_file_that_cannot_be_used_is_one_line_without_its_content(path: Path) -> None:
    assert ApiTokens(path).listed() == ()
    path.parent.mkdir()
    path.write_text('{"tokens": [{"secret-thing": 1}]}', encoding="utf-8")
    with pytest.raises(TokensUnusable, match=r"is not a file of tokens: tokens\.0\.id: Field required") as error:
        ApiTokens(path).listed()
    assert "secret-thing" not in str(error.value)
    path.unlink()
    path.mkdir()
    with pytest.raises(TokensUnusable, match="cannot be read"):
        ApiTokens(path).listed()
