"""`incident init`: a runbook for another company, or nothing."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from incidents.app.doctor.runbook_check import check_runbook
from incidents.app.onboarding import files
from incidents.app.onboarding.answers import Answers
from incidents.app.onboarding.questions import QUESTIONS
from incidents.app.onboarding.rendering import render
from incidents.app.runbook_file import RunbookSource
from incidents.app.settings import Settings
from incidents.cli.commands.operating.init import app
from incidents.domain.config.loading import parse_runbook
from tests.cli.conftest import Incidental

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = ROOT / "docs" / "examples"
NAMES = ("web-shop", "bank", "open-source")
GIVEN = ("--company", "Acme", "--service", "shop", "--on-call", "oncall@acme.example")
runner = CliRunner()


def commands() -> dict[str, list[str]]:
    """The command line of each example, in the order of the document."""
    lines = (ROOT / "docs" / "first-day" / "examples.md").read_text(encoding="utf-8").splitlines()
    found = [shlex.split(line)[2:] for line in lines if line.startswith("incident init --yes")]
    return dict(zip(NAMES, found, strict=True))


def run(*words: str, said: str = "") -> tuple[int, str]:
    found = runner.invoke(app, list(words), input=said)
    return found.exit_code, found.output


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_each_example_is_what_its_command_writes(name: str, tmp_path: Path) -> None:
    target = EXAMPLES / name if os.environ.get("WRITE_DOCS") else tmp_path
    status, said = run(*commands()[name], "--folder", str(target), "--force")
    assert status == 0, said
    for file in (files.RUNBOOK, files.ENV):
        assert (target / file).read_text("utf-8") == (EXAMPLES / name / file).read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_each_example_is_valid_and_names_no_other_company(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env = (EXAMPLES / name / files.ENV).read_text("utf-8")
    runbook = EXAMPLES / name / files.RUNBOOK
    assert "featuresignals" not in (env + runbook.read_text("utf-8")).casefold()
    for line in env.splitlines():
        if line and not line.startswith("#"):
            variable, _, value = line.partition("=")
            monkeypatch.setenv(variable, " ".join(shlex.split(value)))
    checked = check_runbook(RunbookSource(runbook, "runbook.yaml", "test"), Settings())
    assert checked.faults == ()
    # Without credentials, the hosted channels are off; that is all there is to warn of.
    assert [warning for warning in checked.warnings if "nothing goes out on" not in warning] == []
    if name == "open-source":
        assert checked.warnings == ()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("severity", ["P0", "P1", "P2", "P3"])
def test_each_example_can_be_planned(
    name: str, severity: str, incident: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_FILE", str(EXAMPLES / name / files.RUNBOOK))
    said = incident("plan", severity)
    assert said.status == 0, said.err
    assert "T+0:00" in said.out


def test_the_env_is_for_its_owner_only_and_a_shell_reads_it(tmp_path: Path) -> None:
    status, _ = run(*GIVEN[2:], "--company", 'A "b" $(touch x) `y` Co', "--yes", "--folder", str(tmp_path))
    assert status == 0
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    script = 'set -a; . ./.env; printf %s "$EMAIL_FROM"'
    said = subprocess.run(["sh", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == 'A "b" $(touch x) `y` Co incidents <oncall@acme.example>'
    assert left(tmp_path) == [".env", "runbook.yaml"]
    assert parse_runbook((tmp_path / "runbook.yaml").read_text("utf-8")).product == 'A "b" $(touch x) `y` Co'


@pytest.mark.parametrize("there", ["runbook.yaml", ".env"])
def test_what_exists_is_kept_unless_forced(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("mine")
    status, said = run(*GIVEN, "--yes", "--folder", str(tmp_path))
    assert (status, left(tmp_path), (tmp_path / there).read_text()) == (1, [there], "mine")
    assert "Nothing was written" in said
    assert run(*GIVEN, "--yes", "--folder", str(tmp_path), "--force")[0] == 0
    assert (tmp_path / there).read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (GIVEN[:4], "--on_call must be given".replace("_", "-")),
        ((*GIVEN, "--region", "eu"), "--region"),
        ((*GIVEN, "--channel", "fax"), "--channel"),
        ((*GIVEN, "--time-zone", "Mars/Base"), "Europe/Berlin"),
        ((*GIVEN, "--plan", "Pro=many"), "--plan"),
        ((*GIVEN, "--vendors", "none", "--channel", "slack"), "needs an account"),
        ((*GIVEN, "--service", "shop"), "named twice"),
        ((*GIVEN, "--plan", "Pro=99", "--plan", "Pro=98"), "a plan is named twice"),
        ((*GIVEN, "--plan", "Pro=200"), "the uptime of Pro must lie between 0 and 100 percent"),
        ((*GIVEN, "--rollback", "two_people"), "two_people needs a second person"),
    ],
)
def test_a_wrong_answer_is_named_and_nothing_is_written(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    status, printed = run(*words, "--yes", "--folder", str(tmp_path))
    assert (status, left(tmp_path)) == (1, [])
    assert said in printed
    assert "Nothing was written" in printed


@pytest.mark.parametrize(
    ("option", "wrong", "expected"),
    [
        ("--company", "x" * 81, "one line of at most 80 characters, such as Acme Shop"),
        ("--service", "a shop!", "different names of letters, digits, - and _, such as checkout,catalog"),
        ("--region", "eu", "different name=URL, such as eu=https://api.eu.example.com"),
        ("--region", "eu=ftp://x", "different name=URL, such as eu=https://api.eu.example.com"),
        ("--on-call", "nobody", "an e-mail address, such as oncall@example.com"),
        ("--backup", "a b@c", "an e-mail address, such as second@example.com"),
        ("--manager", "boss", "an e-mail address, such as manager@example.com"),
        ("--vendors", "some", "hosted or none"),
        ("--channel", "fax", "some of status_page, slack, email, issue_tracker or webhook, with commas"),
        ("--health", "health", "a path, such as /health"),
        ("--rollback", "maybe", "automatic, approve, two_people or never"),
        ("--plan", "Pro", "different plan=percent, such as Pro=99.9,Enterprise=99.99"),
        ("--time-zone", "Berlin", "a time zone, such as Europe/Berlin"),
        ("--repository", "shop", "owner/name, such as acme/shop"),
    ],
)
def test_a_wrong_answer_says_what_it_must_look_like(option: str, wrong: str, expected: str, tmp_path: Path) -> None:
    words = dict(zip(GIVEN[::2], GIVEN[1::2], strict=True)) | {option: wrong}
    status, printed = run(*(word for pair in words.items() for word in pair), "--yes", "--folder", str(tmp_path))
    assert status == 1
    [line] = printed.strip().splitlines()
    assert line.startswith(f"error: {option} must be {expected}, not '{wrong[:50]}")
    assert line.endswith("Nothing was written.")
    assert "pattern" not in line
    assert "Input should" not in line


def test_what_is_missing_is_named_with_what_it_must_look_like(tmp_path: Path) -> None:
    status, printed = run("--yes", "--folder", str(tmp_path))
    assert status == 1
    assert "--company and --service and --on-call must be given" in printed
    assert "--on-call is an e-mail address, such as oncall@example.com" in printed


def test_every_question_is_of_an_answer_and_every_answer_is_asked() -> None:
    assert QUESTIONS.keys() == Answers.model_fields.keys()


def test_an_answer_is_held_to_those_before_it(tmp_path: Path) -> None:
    """What two answers say together is found at the second question, and not when all has been answered."""
    words = (*GIVEN, "--region", "eu=https://eu.acme.example", "--backup", "b@acme.example", "--manager", "")
    said = "\nnone\nslack,email\nemail\n" + "\n" * 20
    status, printed = run(*words, "--folder", str(tmp_path), said=said)
    assert status == 0, printed
    assert printed.count("the channel slack needs an account") == 1
    assert printed.count("Channels of updates") == 2


def test_the_interview_asks_what_is_not_given_and_asks_again(tmp_path: Path) -> None:
    said = "shop\n\nnobody\noncall@acme.example\n" + "\n" * 20
    status, printed = run("--company", "Acme", "--folder", str(tmp_path), said=said)
    assert status == 0, printed
    assert "--on-call must be an e-mail address, such as oncall@example.com, not 'nobody'." in printed
    runbook = parse_runbook((tmp_path / "runbook.yaml").read_text("utf-8"))
    assert (runbook.product, runbook.contacts["on_call"].email) == ("Acme", "oncall@acme.example")


def test_the_end_of_input_ends_the_interview_in_a_line_of_its_own(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "incidents.cli.main", "init", "--folder", str(tmp_path / "new")]
    said = subprocess.run(words, input="Acme\n", capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout.strip()) == (1, "")  # each question ends with a space there: input() says it
    [*_, last] = said.stderr.splitlines()
    assert last == (
        "error: The interview was ended. Answer by options, or take the defaults with --yes. Nothing was written."
    )
    assert left(tmp_path) == []


def interruptible() -> None:
    """Take SIGINT, which a shell lets its background jobs ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_in_the_interview_leaves_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "incidents.cli.main", "init", "--folder", str(tmp_path / "new")]
    asked = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=interruptible
    )
    assert asked.stdin is not None
    assert asked.stderr is not None
    assert asked.stderr.read(7) == b"Company"
    time.sleep(0.2)
    asked.send_signal(signal.SIGINT)
    assert asked.wait(30) != 0
    assert left(tmp_path) == []
    for stream in (asked.stdin, asked.stdout, asked.stderr):
        assert stream is not None
        stream.close()


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", ["", "mine"])
def test_a_file_that_fails_takes_the_other_back(
    failure: BaseException, before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        (tmp_path / "runbook.yaml").write_text(before)
    replace = Path.replace

    def second_fails(self: Path, target: Path) -> Path:
        if target.name == files.ENV:
            raise failure
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", second_fails)
    pair = render(Answers(company="Acme", services=("shop",), on_call="a@acme.example"))
    with pytest.raises(type(failure)):
        files.write_pair(pair, tmp_path, force=True)
    assert left(tmp_path) == (["runbook.yaml"] if before else [])
    assert not before or (tmp_path / "runbook.yaml").read_text() == before
