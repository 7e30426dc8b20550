"""What `make demo KEEP=1` leaves for a shell, and what it says."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.severity import Severity
from sandbox.demo import files
from sandbox.demo.playground import Addresses, instructions
from sandbox.demo.summary import customer_texts, told

PLACES = Addresses("http://127.0.0.1:40001", "http://127.0.0.1:40002", "http://127.0.0.1:40003")
P0 = Severity("P0")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "HOME", tmp_path)
    return tmp_path


def test_the_file_makes_a_shell_of_any_directory_talk_to_the_demo(home: Path) -> None:
    env = files.write_env(
        {"TEMPORAL_ADDRESS": "127.0.0.1:7", "RUNBOOK_FILE": "/a b/runbook.yaml", "QUOTED": 'it\'s "x"'}
    )
    script = f'. {env}; printf "%s\\n" "$TEMPORAL_ADDRESS" "$RUNBOOK_FILE" "$QUOTED"; command -v incident'
    said = subprocess.run(["sh", "-euc", script], cwd="/", capture_output=True, text=True, check=True).stdout
    address, runbook, quoted, program = said.splitlines()
    assert (address, runbook, quoted) == ("127.0.0.1:7", "/a b/runbook.yaml", 'it\'s "x"')
    assert Path(program).is_absolute()


@pytest.mark.usefixtures("home")
def test_whoever_plays_has_the_time_of_the_shipped_runbook() -> None:
    path = files.write_runbook("approve", for_a_person=True)
    policy = parse_runbook(path.read_text(encoding="utf-8")).policy(P0)
    assert (policy.acknowledge_within.elapsed, str(policy.rollback)) == (timedelta(minutes=5), "approve")
    assert policy.stability_window < timedelta(minutes=1), "nobody waits ten minutes to resolve"
    quick = parse_runbook(files.write_runbook("automatic", for_a_person=False).read_text(encoding="utf-8")).policy(P0)
    assert (quick.acknowledge_within.elapsed, str(quick.rollback)) == (timedelta(seconds=6), "automatic")


def test_the_instructions_fit_a_terminal_and_name_the_file() -> None:
    lines = instructions(1, Path("/srv/demo/env"), PLACES)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 17, "with the six lines above them, they fit 24"
    assert "  . /srv/demo/env" in lines


def test_customers_read_the_sentences_and_not_the_form_around_them() -> None:
    form = "Status: INVESTIGATING\nImpact: errors\n\nCurrent Status:\nWe look into it.\n\nNext Update: 10:00 UTC"
    updates = [
        {"body": "Back to normal.", "created_at": "2026-01-01T00:02:00Z"},
        {"body": form, "created_at": "2026-01-01T00:01:00Z"},
    ]
    state = {"statuspage": {"incidents": [{"incident_updates": updates}]}}
    assert customer_texts(state) == ["We look into it.", "Back to normal."]


def test_each_reader_of_several_mails_counts_once() -> None:
    mail = {"to": ["a@acme.example"], "cc": [], "bcc": []}
    state = {
        "pagerduty": [{}, {}],
        "sendgrid": [mail, mail, mail | {"to": ["b@acme.example"]}],
        "slack": {"channels": [{"messages": [1, 2]}, {"messages": [3]}]},
    }
    assert told(state) == "Notified: 2 people by pager, 2 by 3 mails; 3 messages in Slack"
