"""`incident rehearse`: its exit status, its faults, and what it writes."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from incidents.cli.main import main
from tests.support.in_process import Run, Said, runner

SCENARIO = """\
severity: P0
until: 10m
facts:
  - {at: 2m, do: ack, by: ann}
  - {at: 3m, do: severity, by: ann, severity: P0}
expect:
  - {what: page, to: CTO, by: 0m}
  - {what: page, to: CEO, by: 9m}
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys)


def rehearse(run: Run, *words: str) -> Said:
    return run(main, "rehearse", *words)


def test_what_is_met_and_what_is_not(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/")
    file, xml, page = (str(tmp_path / name) for name in ("mine.yaml", "out.xml", "out.html"))
    Path(file).write_text(SCENARIO, encoding="utf-8")
    said = rehearse(run, file, "--junit", xml, "--html", page)
    assert said.status == 1
    assert "  met       page to CTO - by T+0:00" in said.out
    assert f"  FAILED    {file}:8: page to CEO - by T+0:09 (found none)" in said.out
    assert "  rejected  ann: declare severity severity P0: INC-1 is already P0" in said.out
    assert said.out.endswith("1 of 2 expectations met, " + said.out.rpartition(", ")[2])
    [suite] = ElementTree.parse(xml).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "1 of 2 expectations met" in Path(page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("severity: P0\nfacts:\n  - {at: 3m, do: dance}\n", ":3: facts.0: do: 'dance' is not one of"),
        ("severity: P0\nexpect:\n  - {what: page}\n", ":3: expect.0: needs by"),
        ("# mine\nseverity: P9\n", ":2: severity: 'P9' is not one of P0, P1, P2, P3"),
        ("services: x\n", ":1: services: unknown field"),
        ("severity: P0\nfacts:\n  - {at: 2m, do: ack, at: 3m}\n", ":3: facts.at: given twice"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(run: Run, tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    said = rehearse(run, str(file))
    assert (said.status, said.out) == (2, "")
    assert f"{file}{fault}" in said.why


def test_what_cannot_be_asked(run: Run) -> None:
    assert "name a scenario" in rehearse(run).why
    assert (
        "missing.yaml: No such file or directory, nor a shipped scenario (`incident rehearse --list`)"
        in rehearse(run, "missing.yaml").why
    )
    assert "--html shows one scenario" in rehearse(run, "all", "--html", "x.html").why


def test_what_is_missing_is_named_with_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.rehearsal.needs.find_server", lambda: None)
    said = rehearse(run, "01-critical")
    assert said.status == 1
    assert said.why.endswith("Nothing was run. Install it: pip install 'incident-runbook[rehearse]'")


def test_the_shipped_scenarios_are_listed(run: Run) -> None:
    assert len(rehearse(run, "--list", "--json").document) == 12
