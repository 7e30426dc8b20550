"""`incident plan`: without Temporal, from the runbook's file alone."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from tests.cli.conftest import Incidental, point_at, reason

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
LATER = TEXT.replace("{contact: ceo, after: 30m", "{contact: ceo, after: 45m")


@pytest.fixture
def alone(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> Incidental:
    """The command line where nobody listens, on an ordinary screen."""
    point_at(monkeypatch, "127.0.0.1:1")
    monkeypatch.setenv("COLUMNS", "80")
    return incident


def written(folder: Path, text: str, name: str = "other.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def mistaken(alone: Incidental, *words: str) -> str:
    """The one line with which a command line is refused."""
    said = alone("plan", *words)
    assert (said.status, said.out) == (2, "")
    return reason(said)


def test_a_p0_fits_a_screen(alone: Incidental) -> None:
    said = alone("plan", "P0")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert lines[0] == "P0 of flag-evaluation, alert at 2026-01-05 09:00 UTC"
    assert re.fullmatch(r"T\+0:00 +Escalate to CTO by email, page +CTO *", lines[3])
    assert "every 30m until T+72:00" in said.out


def test_all_shows_each_repeat_and_texts_shows_the_messages(alone: Incidental) -> None:
    folded, each = alone("plan", "--until", "3h"), alone("plan", "--until", "3h", "--all")
    assert "every 30m" not in each.out
    assert len(each.out.splitlines()) > 2 * len(folded.out.splitlines())
    assert "Update the pinned summary" in each.out
    assert "Status: INVESTIGATING" in alone("plan", "--until", "1h", "--texts").out


def test_a_plan_as_json_holds_every_step(alone: Incidental) -> None:
    plan = alone("plan", "P1", "--until", "2h", "--json").document
    assert (plan["severity"], plan["until"], plan["start"]) == ("P1", "PT2H", "2026-01-05T09:00:00Z")
    [page] = [step for step in plan["steps"] if step["kind"] == "page"]
    assert (page["after"], page["channel"], page["recipient"]) == ("PT0S", "page", "On-call engineer")
    assert page["text"].startswith("P1 flag-evaluation (production)")


def test_a_plan_as_markdown_is_a_table(alone: Incidental) -> None:
    rendered = (
        MarkdownIt("commonmark").enable("table").render(alone("plan", "--until", "1h", "--format", "markdown").out)
    )
    assert rendered.count("<table>") == 1
    assert "<td>Escalate to CEO by email, page</td>" in rendered


def test_a_plan_as_a_page_is_self_contained(alone: Incidental) -> None:
    page = alone("plan", "--until", "1h", "--format", "html").out
    tags: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    assert {"table", "details", "pre"} <= {tag for tag, _ in tags}
    assert not [attributes for _, attributes in tags if {"src", "href"} & attributes.keys()]
    assert "<script" not in page


def test_a_plan_as_a_diagram(alone: Incidental) -> None:
    head, *lines = alone("plan", "--until", "1h", "--format", "mermaid").out.splitlines()
    assert head == "sequenceDiagram"
    assert "  participant R0 as On-call engineer" in lines
    assert "  I->>R0: T+0:00 Page the engineer on call" in lines


def test_a_scenario_is_planned(alone: Incidental, tmp_path: Path) -> None:
    file = written(tmp_path, "severity: P2\nuntil: 1h\nfacts: [{at: 4m, do: ack, by: ann}]\n")
    said = alone("plan", "--scenario", file)
    assert said.out.startswith("P2 of flag-evaluation")
    assert "ann: acknowledge" in said.out
    assert alone("plan", "P0", "--scenario", file).out.startswith("P0 of"), "what is typed comes first"


def test_a_rejected_command_is_shown_with_the_reason(alone: Incidental, tmp_path: Path) -> None:
    facts = "[{at: 4m, do: approve, by: ann}, {at: 5m, do: severity, severity: P9, by: bob}]"
    file = written(tmp_path, f"until: 10m\nfacts: {facts}\n")
    shown = " ".join(alone("plan", "--scenario", file).out.split())
    assert "T+0:04 ann: approve rollback Rejected: No rollback offered" in shown
    assert "T+0:05 bob: declare severity severity P9 Rejected: INC-1 has no severity P9" in shown
    steps = alone("plan", "--scenario", file, "--json").document["steps"]
    assert [step["rejected"] for step in steps if step["kind"] == "fact"] == [True, True]


def test_a_difference_says_how_much_later(alone: Incidental, tmp_path: Path) -> None:
    file = written(tmp_path, LATER)
    here, there = ("--until", "1h", "--file", "runbook.yaml"), ("--until", "1h", "--file", file)
    said = alone("plan", "P0", "--diff", file, *here)
    assert said.status == 0
    assert "T+0:45 → T+0:30 (15m earlier)" in said.out
    assert alone("plan", "P0", "--diff", file, "--exit-code", *here).status == 1
    found = alone("plan", "P0", "--diff", "runbook.yaml", *there, "--json").document
    assert {change["by"] for change in found["changes"]} == {"PT15M"}
    assert "15m later" in alone("plan", "--diff", "runbook.yaml", *there, "--format", "markdown").out
    assert "15m later" in alone("plan", "--diff", "runbook.yaml", *there, "--format", "html").out


def test_no_difference(alone: Incidental) -> None:
    said = alone("plan", "--diff", "runbook.yaml", "--until", "2h", "--exit-code")
    assert (said.status, said.out.splitlines()[-1]) == (0, "No difference.")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose runbook was edited since its only commit."""
    written(tmp_path, TEXT, "runbook.yaml")
    for command in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "Write the runbook"),
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, timeout=30)
    written(tmp_path, LATER, "runbook.yaml")
    return tmp_path


def test_a_revision_of_the_runbook_is_compared(alone: Incidental, repository: Path) -> None:
    file = str(repository / "runbook.yaml")
    said = alone("plan", "P0", "--file", file, "--until", "1h", "--diff", "git:HEAD", "--exit-code")
    assert (said.status, said.err) == (1, "")
    assert "T+0:30 → T+0:45 (15m later)" in said.out
    assert "cannot be read" in mistaken(alone, "--file", file, "--diff", "git:nothing")
    assert "name a revision" in mistaken(alone, "--file", file, "--diff", "git:--output=x")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("P9",), "severity: 'P9' is not one of P0, P1, P2, P3"),
        (("--service", "nothing"), "service: 'nothing' is not one of"),
        (("--region", "mars"), "region: 'mars' is not one of eu, us"),
        (("--until", "3"), "--until: '3' is not a time"),
        (("--until", "90d"), "--until: '90d' is not a time of up to 31 days"),
        (("--at", "noon"), "noon"),
        (("--at", "9999-12-31T23:00:00Z"), "--at: '9999-12-31T23:00:00Z' is not of the years 1970 to 2999"),
        (("--at", "0001-01-01"), "--at: '0001-01-01' is not of the years 1970 to 2999"),
        (("--scenario", "nothing.yaml"), "nothing.yaml: No such file or directory"),
        (("--diff", "nothing.yaml"), "--diff: there is no file nothing.yaml"),
        (("--diff", "runbook.yaml", "--format", "mermaid"), "--format mermaid shows a plan"),
        (("--exit-code",), "--exit-code is for --diff"),
        (("--format", "poem"), "poem"),
    ],
)
def test_a_mistake_is_one_line(alone: Incidental, words: tuple[str, ...], said: str) -> None:
    assert said in mistaken(alone, *words)
    if "--format" not in words:
        assert json.loads(alone("plan", *words, "--json").why)["code"] == "usage"


def test_a_scenario_with_a_fault_is_named_with_its_line(alone: Incidental, tmp_path: Path) -> None:
    file = written(tmp_path, "severity: P0\nfacts:\n  - {at: 4m, do: dance}\n")
    assert f"{file}:3: facts.0: do: 'dance' is not one of" in mistaken(alone, "--scenario", file)


def test_a_runbook_with_faults_lists_them(alone: Incidental, tmp_path: Path) -> None:
    said = alone("plan", "--file", written(tmp_path, TEXT.replace("contact: ceo", "contact: nobody")))
    assert said.status == 1
    assert "'nobody' is not among contacts" in said.err


def test_all_severities_at_once(alone: Incidental, tmp_path: Path) -> None:
    found = alone("plan", "all", "--until", "10m", "--json").document
    assert [plan["severity"] for plan in found] == ["P0", "P1", "P2", "P3"]
    file = written(tmp_path, TEXT.replace("every: 4h", "every: 3h"))
    compared = ("--file", file, "--diff", "runbook.yaml")
    said = alone("plan", "all", "--until", "9h", *compared, "--format", "markdown", "--exit-code")
    assert said.status == 1
    assert said.out.count("No difference.") == 3
    assert "T+0:00 every 4h until T+8:00 → T+0:00 every 3h until T+9:00" in said.out
    assert "--format html shows one severity" in mistaken(alone, "all", "--format", "html")


def test_a_severity_that_the_other_runbook_lacks_is_new(alone: Incidental, tmp_path: Path) -> None:
    head, tail = TEXT.split("  P3:\n    name: Low")
    fourth = "  P3:\n    name: Low" + tail.split("\n\n", 1)[0].replace("P3", "P4") + "\n"
    file = written(tmp_path, head + fourth + fourth.replace("P3:", "P4:") + "\n\n" + tail.split("\n\n", 1)[1])
    found = alone("plan", "P4", "--until", "1h", "--file", file, "--diff", "runbook.yaml", "--json").document
    assert found["changes"]
    assert {change["kind"] for change in found["changes"]} == {"added"}


WORKFLOW = Path("deploy/ci/runbook-plan.yml")


@pytest.mark.timeout(180)
def test_the_workflow_for_pull_requests_compares_and_comments(repository: Path) -> None:
    """Its shell commands, run as the runner would, with a stand-in for the host's own command line."""
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow[True]["pull_request"]["paths"] == ["runbook.yaml"]
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    [job] = workflow["jobs"].values()
    steps = {step.get("name"): step for step in job["steps"]}
    assert [name for name in steps if name] == ["Validate", "Compare", "Comment"]
    assert "${{" not in steps["Compare"]["run"] + steps["Comment"]["run"], "no text of a stranger becomes a command"
    tools = repository / "tools"
    tools.mkdir()
    (tools / "gh").write_text('#!/bin/sh\necho "$@" >> calls\n', encoding="utf-8")
    (tools / "gh").chmod(0o755)
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {"PATH": path, "BASE": "HEAD", "GITHUB_STEP_SUMMARY": str(repository / "summary"), **job["env"]}
    environment |= {"NUMBER": "7", "REPOSITORY": "acme/ops"}
    for step in ("Validate", "Compare", "Comment"):
        command = ["bash", "-e", "-o", "pipefail", "-c", steps[step]["run"]]
        ran = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=150)
        assert ran.returncode == 0, ran.stderr
    comment = (repository / "plan.md").read_text(encoding="utf-8")
    assert comment == (repository / "summary").read_text(encoding="utf-8")
    assert comment.startswith("<!-- runbook-plan -->\n## ")
    assert "T+0:30 → T+0:45 (15m later)" in comment
    calls = (repository / "calls").read_text(encoding="utf-8").splitlines()
    assert calls[-1] == "api --method POST repos/acme/ops/issues/7/comments --field body=@plan.md"
