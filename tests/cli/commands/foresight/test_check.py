"""`incident check`: warnings besides errors."""

import os
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Incidental

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
CREDENTIALS = {
    "PAGERDUTY_ROUTING_KEY": "key",
    "SLACK_BOT_TOKEN": "xoxb",
    "SMTP_URL": "smtp://mail.example.com",
    "STATUS_SITE_URL": "file:///status",
    "TRACKER_FOLDER": "tickets",
}
SHIPPED = "severities.P2.escalation.1.after: engineering_manager is called after 4h"


@pytest.fixture
def bare(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> Incidental:
    for name in ("RUNBOOK_FILE", "EMAIL_FROM", *CREDENTIALS):
        monkeypatch.delenv(name, raising=False)
    return incident


def test_a_channel_without_credentials_is_a_warning(bare: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    said = bare("check")
    assert said.status == 0
    lines = said.err.splitlines()
    assert all(line.startswith("warning: runbook.yaml:") for line in lines)
    [first, *_] = [line for line in lines if "P0.updates.channels.2" in line]
    assert first.endswith("nothing goes out on email: SENDGRID_API_KEY is not set or SMTP_URL is not set")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    [left] = bare("check").err.splitlines()
    assert SHIPPED in left


def test_strict_makes_warnings_fail(bare: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bare("check", "--strict").status == 1
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    quiet = tmp_path / "quiet.yaml"
    quiet.write_text(TEXT.replace("reopen_window: 30m", "reopen_window: 4h"), encoding="utf-8")
    said = bare("check", "--strict", "--file", str(quiet))
    assert (said.status, said.err) == (0, "")
    assert bare("check", "--strict", "--file", str(quiet), "--json").document["warnings"] == []


def test_mails_from_another_company_are_a_warning(
    bare: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.com")
    acme = tmp_path / "acme.yaml"
    acme.write_text(TEXT.replace("product: FeatureSignals", "product: Acme"), encoding="utf-8")
    warnings = bare("check", "--file", str(acme), "--json").document["warnings"]
    assert "EMAIL_FROM: mails come from FeatureSignals, but the product is Acme" in warnings
    assert any("team: names FeatureSignals, but the product is Acme" in line for line in warnings)
    monkeypatch.setenv("EMAIL_FROM", "Acme <incidents@acme.example>")
    assert not [
        line for line in bare("check", "--file", str(acme), "--json").document["warnings"] if "EMAIL_FROM" in line
    ]


def test_a_pipe_is_checked_too(bare: Incidental, tmp_path: Path) -> None:
    """As `--file <(...)` in a shell: what was read once is gone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(TEXT,), daemon=True)
    writer.start()
    said = bare("check", "--file", str(pipe))
    writer.join(10)
    assert said.status == 0
    assert f"{pipe} is valid" in said.out
    assert SHIPPED in said.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless file")
def test_an_endless_file_is_too_large(bare: Incidental) -> None:
    said = bare("check", "--file", "/dev/zero")
    assert (said.status, said.out) == (1, "")
    assert said.why == "/dev/zero:1: too large: a file has at most 4000000 characters"


def test_a_quarterly_drill_needs_participants_and_a_scenario_beside_the_runbook(
    bare: Incidental, tmp_path: Path
) -> None:
    file = tmp_path / "runbook.yaml"
    alone = "  remind_before: 24h\n  quarterly: {scenario: slow.yaml}\n"
    file.write_text(TEXT.replace("  remind_before: 24h\n", alone), encoding="utf-8")
    said = bare("check", "--file", str(file))
    assert (said.status, said.out) == (1, "")
    assert "drill: quarterly: nobody takes part; name the participants" in said.why
    file.write_text(file.read_text(encoding="utf-8").replace("participants: []", "participants: [on_call]"), "utf-8")
    said = bare("check", "--file", str(file))
    line = alone.splitlines()[1]
    number = file.read_text(encoding="utf-8").splitlines().index(line) + 1
    assert f"{file}:{number}: drill.quarterly.scenario: slow.yaml: No such file or directory" in said.why
    (tmp_path / "slow.yaml").write_text("severity: P9\n", encoding="utf-8")
    assert (
        "drill.quarterly.scenario: slow.yaml:1: severity: 'P9' is not one of" in bare("check", "--file", str(file)).why
    )
    (tmp_path / "slow.yaml").write_text("severity: P0\n", encoding="utf-8")
    assert bare("check", "--file", str(file)).status == 0
