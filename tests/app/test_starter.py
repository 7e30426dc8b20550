"""The starter's input: what it refuses, in one line, before it contacts anything."""

import json
from pathlib import Path

import pytest

from incidents.app.starter import app
from tests.support.in_process import Run, Said, runner


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The starter, without any server: the input is judged before anything is contacted."""
    run = runner(monkeypatch, capsys)
    return lambda *words, given=b"": run(app, *words, given=given)


def why(said: Said) -> str:
    assert (said.status, said.out) == (1, "")
    return said.why


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ("{}", "title"),
        (json.dumps({"version": "4", "alerts": []}), "alerts: the list is empty"),
        ("[" * 100_000, "not JSON"),
        (json.dumps({"title": "x" * 600_000}), "larger than 512 KiB"),
    ],
)
def test_12_a_malformed_or_huge_payload_is_one_line_and_exit_1(starter: Run, text: str, reason: str) -> None:
    assert reason in why(starter("-", given=text.encode()))


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe\xfd", b"\x00", b"9" * 5000, b'{"title": "\\ud800"', b'{"version": "\xe2\x80\xae", "alerts": []}']
)
def test_105_any_bytes_are_one_line_and_exit_1(starter: Run, raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "alert\n.json"
    path.write_bytes(raw)
    for said in (starter("-", given=raw), starter(str(path))):
        assert why(said).startswith("error: ")


def test_what_is_missing_is_said(starter: Run) -> None:
    assert "pass an alert file" in why(starter())
    assert "--service and --severity" in why(starter("--title", "x"))
    assert "No such file" in why(starter("/nowhere/alert.json"))


@pytest.mark.parametrize(
    ("words", "stray"),
    [
        (("--severity", "P0"), "--severity"),
        (("--service", "dashboard", "--by", "ann"), "--service, --by"),
        (("--environment", "production"), "--environment"),
        (("--drill",), "--drill"),
        (("--repeats", "3"), "--repeats"),
    ],
)
def test_options_of_a_declared_incident_need_a_title(
    starter: Run, words: tuple[str, ...], stray: str, tmp_path: Path
) -> None:
    path = tmp_path / "alert.json"
    path.write_text('{"title": "x"}', encoding="utf-8")
    for given in ((), (str(path),)):
        said = starter(*given, *words)
        assert (said.status, said.out) == (2, "")
        assert f"{stray}: only with --title" in said.why


def test_a_source_needs_a_file(starter: Run) -> None:
    said = starter("--title", "x", "--service", "y", "--severity", "P0", "--source", "grafana")
    assert said.status == 2
    assert "--source: only with an alert file" in said.why


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_is_plain_and_fits_80_columns(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        app(["--title", "x", option])
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(" [FILE|-] [OPTIONS]")
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if "─" in line or "<str>" in line]
    assert "    python starter.py - < alert.json    # the same from standard input" in lines


def test_a_file_is_read_as_its_source_sends_it(starter: Run) -> None:
    assert "alert_transition" in why(starter("-", "--source", "datadog", given=b"{}"))
    assert "--source: 1 to 40" in why(starter("-", "--source", "a/b", given=b"{}"))
