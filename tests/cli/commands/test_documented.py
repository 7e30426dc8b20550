"""The commands of the documents' blocks of code are run on a real server; in the long form, those of the help, too."""

import ast
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from incidents.cli import main as responder
from incidents.cli.examples import EXAMPLES
from tests.cli.conftest import Opened, Stage, point_at, standing
from tests.cli.documented import RUN_ELSEWHERE, SHARED, TABLE, Run, Situation, entry_of, filled
from tests.cli.situations import until_listed
from tests.support.documents.behaviours import ROOT
from tests.support.documents.command_lines import OURS, blocks, joined, words_of
from tests.support.in_process import Said, runner
from tests.support.servers.dev_server import DevServer
from tests.support.thoroughness import by_thoroughness

IN_ORDER = "quickstart.md"
"""The document whose commands one reader types one after the other, on a new server."""
_READ_ALL = {"list", "report", "status"}
"""Commands that take longer the more incidents there are: they come first."""
PRINTED = {tuple(words_of(line)) for document, line in OURS if document != IN_ORDER}
LINES = sorted(
    PRINTED | {tuple(words_of(line)) for lines in EXAMPLES.values() for line in joined(list(lines))},
    key=lambda words: (words[0] not in _READ_ALL, words),
)
HERE = [words for words in LINES if not entry_of(words, RUN_ELSEWHERE)]
OF_DOCUMENTS = [words for words in HERE if words in PRINTED]
VENDORS = ("SLACK_", "PAGERDUTY_", "GITHUB_", "PAYLOAD_", "NTFY_")
FIXTURES = ROOT / "tests" / "fixtures" / "alerts"
ALERTS = {
    "grafana": FIXTURES / "grafana" / "docs_firing_2_alerts.json",
    "alertmanager": FIXTURES / "alertmanager" / "firing_group_of_2.json",
}
Type = Callable[..., Said]


@pytest.fixture
def type_in(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Type:
    """The command line on the stage, in an empty folder, on a machine without integrations."""
    for name in [name for name in os.environ if name.startswith(VENDORS)]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("RUNBOOK_FILE", raising=False)
    for name, place in {"API_TOKENS": "tokens.json", "ALERT_SPOOL": "spool"}.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    monkeypatch.setenv("EVIDENCE_URL", (tmp_path / "evidence").as_uri())
    point_at(monkeypatch, stage.address, stage.client.namespace)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    run = runner(monkeypatch, capsys)
    return lambda *words, **more: run(responder.main, *words, **more)


@pytest.fixture(scope="module")
def numbers_for(stage: Stage) -> Callable[[Situation], tuple[str, ...]]:
    """What makes a situation and returns its numbers; a shared one is made once."""
    kept: dict[Situation, Opened | tuple[str, ...]] = {}

    def made(situation: Situation) -> tuple[str, ...]:
        found = kept.get(situation) or situation(stage)
        if situation in SHARED:
            kept[situation] = found
        return (found.number,) if isinstance(found, Opened) else found

    return made


def runbook_of(path: str, words: Sequence[str]) -> str:
    """A runbook of this repository. A plan of three days takes seconds because of what is repeated: less of it here."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.sub(r"(?<= )((?:confirm_)?every): (?:10m|30m|1h)\b", r"\1: 8h", text) if words[0] == "plan" else text


def furnish(run: Run, words: Sequence[str]) -> None:
    """Write into this folder the files that the documents name."""
    if run.runbook:
        Path("runbook.yaml").write_text(runbook_of(run.runbook, words), encoding="utf-8")
    later = runbook_of("runbook.yaml", words).replace("{contact: ceo, after: 30m", "{contact: ceo, after: 45m")
    for name in ("other.yaml", "new.yaml", "new-runbook.yaml"):
        Path(name).write_text(later, encoding="utf-8")
    for name in ("INC-42.md", "postmortem-42.md"):
        shutil.copy(ROOT / "docs" / "example-postmortem.md", name)
    planning = (ROOT / "docs" / "planning.md").read_text(encoding="utf-8")
    game_day = re.findall(r"```yaml\n(.*?)```", planning, re.DOTALL)[0].replace("until: 8h", "until: 2h")
    Path("game-day.yaml").write_text(game_day, encoding="utf-8")
    shutil.copy(ALERTS["alertmanager" if "alertmanager" in words else "grafana"], "alert.json")
    Path("answers.txt").write_text("Acme\nshop\n\noncall@acme.example\n" + "\n" * 20, encoding="utf-8")
    if any(word.startswith("git:") for word in words):
        for command in ("init -b main", "add .", "-c user.name=ann -c user.email=ann@example.com commit -m x"):
            subprocess.run(["git", *shlex.split(command)], check=True, capture_output=True)


@pytest.mark.parametrize("words", by_thoroughness(OF_DOCUMENTS, HERE), ids=shlex.join)
def test_every_command_works_as_it_is_printed(
    words: tuple[str, ...], numbers_for: Callable[[Situation], tuple[str, ...]], type_in: Type
) -> None:
    run = TABLE[entry_of(words, TABLE)]
    numbers = numbers_for(run.about)
    furnish(run, words)
    given = Path(run.stdin).read_bytes() if run.stdin else b""
    said = type_in(*filled(words, numbers, run.values), given=given)
    assert said.status == run.status, said.err
    assert run.says
    assert run.says.format(*words) in said.out
    assert "Traceback" not in said.out + said.err


QUICKSTART = [words_of(line) for document, line in blocks("incident ") if document == IN_ORDER]
SAYS = (
    "INC-1 · P0",
    "Acknowledged by ",
    "Assessed as ",
    "The new release looks guilty.",
    "INC-1 · P0",
    "Update 2 ",
    "Forced resolution with 1 alert(s) firing: tried by hand",
    "Update 2 (manual)",
    "Post-mortem of INC-1",
    "INC-2 opened: P2 dashboard: Slow exports",
    "Acknowledged by ",
)
"""A part of what each line of the quickstart prints, in their order."""


@pytest.fixture(scope="module")
def first(dev_server: DevServer) -> Iterator[Opened]:
    """The only incident of a new server, as the quickstart has it after its first two steps."""
    with standing(dev_server, pydantic_data_converter) as stage:
        opened = stage.open()
        until_listed(opened)
        yield opened


def test_the_quickstart_works_line_by_line(first: Opened, type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, first.stage.address, first.stage.client.namespace)
    furnish(Run(), QUICKSTART[0])
    for words, part in zip(QUICKSTART, SAYS, strict=True):
        if words[0] == "postmortem":  # it begins once the evidence is saved
            first.until(lambda incident: f"postmortem/{incident.times_resolved}" in incident.ledger.fulfilled)
        said = type_in(*words, *(["--once"] if words[0] == "watch" else []))
        assert said.status == 0, (words, said.err)
        assert part in said.out, words


def test_each_command_is_run_by_one_entry_and_each_entry_runs_one() -> None:
    assert [words for words in HERE if not entry_of(words, TABLE)] == []
    assert set(TABLE) == {entry_of(words, TABLE) for words in HERE}
    assert set(RUN_ELSEWHERE) == {entry_of(words, RUN_ELSEWHERE) for words in LINES} - {""}
    assert TABLE.keys() & RUN_ELSEWHERE.keys() == set()


@pytest.mark.parametrize("node", RUN_ELSEWHERE.values())
def test_the_tests_that_run_the_others_exist(node: str) -> None:
    file, _, name = node.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
