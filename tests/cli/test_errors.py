"""Errors: one plain line, or with --json one JSON object, on standard error."""

import json

import pytest

from tests.cli.conftest import Incidental, Stage, point_at

REFUSED = (
    "connection refused at 127.0.0.1:1: is Temporal running? Nothing was sent; running incidents are not affected."
)


@pytest.mark.parametrize(
    ("words", "status", "code", "message"),
    [
        (("ack", "--json"), 2, "usage", "Missing argument 'INCIDENT'. (see program ack --help)"),
        (("shwo", "--json"), 2, "usage", "No such command 'shwo'. Did you mean 'show'? (see program --help)"),
        (("ack", "1", "--json", "--timeout", "0"), 2, "usage", "Invalid value for '--timeout'"),
        (("ack", "1", "--json", "--by", ""), 2, "usage", "by: "),
        (("list", "--json"), 1, "connection_problem", REFUSED),
    ],
)
def test_with_json_an_error_is_a_json_object(
    incident: Incidental,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    status: int,
    code: str,
    message: str,
) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    said = incident(*words)
    assert (said.status, said.out) == (status, "")
    error = json.loads(said.why)
    assert error["code"] == code
    assert message in error["error"]
    plain = incident(*(word for word in words if word != "--json"))
    assert plain.why == f"error: {error['error']}"


def test_what_follows_two_dashes_is_text(incident: Incidental) -> None:
    assert incident("note", "--", "1", "--json", "more").why.startswith("error: ")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "connection refused at 127.0.0.1:1: is Temporal running?"),
        ("nowhere.invalid:7233", "host of nowhere.invalid:7233 not found: is TEMPORAL_ADDRESS right?"),
    ],
)
def test_why_temporal_is_unreachable(
    incident: Incidental, monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    point_at(monkeypatch, address)
    said = incident("list").why
    assert said == f"error: {message} Nothing was sent; running incidents are not affected."


def test_rejections_have_their_code(stage: Stage, on_stage: Incidental) -> None:
    number = stage.open("warning").number

    def code(*words: str) -> str:
        found: str = json.loads(on_stage(*words, "--json").why)["code"]
        return found

    assert code("show", "424242") == "not_found"
    assert code("reopen", number, "--reason", "x") == "command_failed"


def test_what_was_chosen_is_told_beside_the_answer(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open("critical")
    said = on_stage("note", "latest", "hello")
    assert (said.status, said.out) == (0, "hello\n")
    assert said.err == f"INC-{opened.number} · P0 · investigating · flag-evaluation\n"
    assert on_stage("note", "latest", "again", "--json").err == ""
    assert on_stage("note", opened.number, "and again").err == ""
