"""Public text is a type of its own: internal words reach customers neither by mistake nor by way of an alert."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from incidents.domain.activity_requests import PublishStatus, SendMail
from incidents.domain.apply_command import apply_command
from incidents.domain.config.public_texts import PublicTexts
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.public_text import (
    InternalMessage,
    PublicMessage,
    PublicText,
    leaks,
)
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.updates.messages import customer_message, escalation_text
from incidents.domain.updates.state import PublicFact
from tests.support.incidents import RUNBOOK, T0, at, lived


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see https://signoz.featuresignals.com/trace/1", "a link"),
        ("api.eu.featuresignals.com times out", "a host"),
        ("postgres.observability.svc does not answer", "a host"),
        ("10.2.3.4 is unreachable", "an IP address"),
        ("redis:6379 refuses", "a host and port"),
        ("server-7f9c6d5b8-x2x4q restarts", "the name of a pod"),
        ('File "/app/main.py", line 12', "a stack trace"),
        ("java.lang.NullPointerException: boom", "an error of a program"),
        ("goroutine 17 [running]", "a stack trace"),
        ("reverted 0123456789abcdef0123456789abcdef01234567", "a commit"),
        ("ask in #incident-42", "a chat mention"),
        ("<@U123> is on it", "a chat mention"),
        ("mail ann@featuresignals.com", "an e-mail address"),
        ("eu-001 is drained", "an internal name (eu-001)"),
        ("flag-evaluation restarts", "an internal name (flag-evaluation)"),
        ("look at /var/log/server.log", "a file of a program"),
    ],
)
def test_what_no_customer_may_read_is_found(text: str, what: str) -> None:
    assert any(found.startswith(what) for found in leaks(text, RUNBOOK)), list(leaks(text, RUNBOOK))


@pytest.mark.parametrize(
    "text",
    [
        "We are still investigating. No change since 2026-11-23 14:00 UTC (19:30 IST).",
        "Evaluations in Europe fail for about 30 % of requests since 14:05.",
        "A configuration error was reverted; the dashboard and the server are fine (p95 < 20 ms).",
        "Version 2.14.0 is being replaced, e.g. for SDKs of v5.",
        "Error rates: 3/10, then 1/10. Thank you.",
    ],
)
def test_what_customers_may_read_passes(text: str) -> None:
    assert list(leaks(text, RUNBOOK)) == []


def test_words_that_the_runbook_forbids_are_found_whole() -> None:
    runbook = RUNBOOK.replace(customers=RUNBOOK.customers.replace(never_say=("Bigtable",)))
    assert list(leaks("bigtable is slow", runbook)) == ["an internal name (Bigtable)"]
    assert list(leaks("Bigtables are slow", runbook)) == []


def test_pydantic_refuses_a_plain_string_where_public_text_is_asked_for() -> None:
    with pytest.raises(ValidationError, match="PublicText"):
        PublicFact(at=T0, text="a plain string")
    with pytest.raises(ValidationError, match="PublicText"):
        PublicMessage(subject="plain", body=PublicText.trusted("x"))
    assert isinstance(PublicFact.model_validate_json('{"at": "2026-11-23T14:00:00Z", "text": "x"}').text, PublicText)
    assert PublicFact(at=T0, text=PublicText.trusted("x")).model_dump()["text"] == "x"


CONFUSED = """
from datetime import datetime
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.messages import escalation_text
from incidents.domain.config.model import RunbookConfig
from incidents.domain.updates.state import UpdateKind
from incidents.domain.updates.publishing import publish, record_news

def leak(incident: Incident, runbook: RunbookConfig, at: datetime) -> None:
    record_news(incident, at, incident.title)
    publish(incident, runbook, at, UpdateKind.MANUAL, escalation_text(incident, runbook, at).body)
"""


@pytest.mark.timeout(180)
def test_mypy_refuses_internal_words_where_public_ones_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "confused.py").write_text(CONFUSED, encoding="utf-8")
    words = [sys.executable, "-m", "mypy", "--no-error-summary", str(tmp_path / "confused.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count('has incompatible type "str"; expected "PublicText"') == 2, done.stdout


SECRET = "db-9.internal Traceback"
internal = st.sampled_from([SECRET, f"{SECRET}: boom", f"https://x/{SECRET}"])


@settings(max_examples=40, deadline=None)
@given(internal, st.sampled_from(["P0", "P1", "P2"]), st.booleans())
def test_an_alerts_own_words_never_reach_customers(title: str, severity: Severity, silly: bool) -> None:
    opening = Opening(
        key="k", title=title, service=f"svc-{SECRET}", severity=severity, alerted_at=T0, source=title, reporter=title
    )
    incident = open_incident(opening, RUNBOOK, T0, workflow_id="incident-x", first_run_id="run-1")
    incident = incident.replace(number=1)
    commands: tuple[Command, ...] = (
        c.Acknowledge(by=SECRET),
        c.DeclareSeverity(by=SECRET, severity="P1" if severity == "P0" else "P0", reason=title),
        c.AddNote(by=SECRET, text=title),
        c.Cancel(by=SECRET, reason=title) if silly else c.Resolve(by=SECRET, force=True, reason=title),
    )
    for minute, command in enumerate(commands):
        incident = apply_command(incident, command, RUNBOOK, at(minute))
    assert incident.updates.published
    for update in incident.updates.published:
        message = customer_message(incident, update, RUNBOOK)
        public = message.subject + message.body
        assert "internal" not in public
        assert "Traceback" not in public
    assert SECRET in escalation_text(incident, RUNBOOK, at(9)).body, "the people of the company read it all"


def test_an_unknown_service_is_not_named_to_customers() -> None:
    incident = known("P0", service="svc-db-9")
    message = customer_message(incident, incident.updates.published[0], RUNBOOK)
    assert "svc-db-9" not in message.subject + message.body


def known(severity: Severity, service: str) -> Incident:
    opening = Opening(key="k", title="t", service=service, severity=severity, alerted_at=T0, source="x")
    incident = open_incident(opening, RUNBOOK, T0, workflow_id="incident-x", first_run_id="run-1")
    return lived(incident, 0, 0)


def test_the_two_kinds_of_message_are_not_each_other() -> None:
    assert not issubclass(InternalMessage, PublicMessage)
    assert PublishStatus.model_fields["body"].annotation is PublicText
    assert PublishStatus.model_fields["title"].annotation is PublicText
    assert SendMail.model_fields["text"].annotation is str, "mail goes inside, too"
    with pytest.raises(CommandRejected, match="nothing was published or changed"):
        PublicText.screened("redis:6379 refuses", RUNBOOK)


def test_no_sentence_that_customers_read_stands_in_code() -> None:
    literal = re.compile(r"""PublicText\.\w+\(\s*f?["'][^"']*[A-Za-z]""")
    files = [path for folder in ("incidents", "workflows", "activities") for path in Path(folder).rglob("*.py")]
    assert not [str(path) for path in files if literal.search(path.read_text(encoding="utf-8"))]


def test_107_what_an_update_says_is_what_the_runbook_says() -> None:
    texts = PublicTexts(opening="Oje, seit {START_TIME}.", severity_raised="{OLD} -> {NEW}!", no_next_update="nie")
    runbook = RUNBOOK.replace(templates=RUNBOOK.templates.replace(texts=texts))
    opening = Opening(key="k", title="t", service="dashboard", severity="P1", alerted_at=T0, source="manual")
    incident = open_incident(opening, runbook, T0, workflow_id="w", first_run_id="r")
    incident = apply_command(incident, c.DeclareSeverity(by="ann", severity="P0"), runbook, at(1))
    incident = apply_command(incident, c.Resolve(by="ann"), runbook, at(2))
    said = [update.text for update in incident.updates.published]
    assert said == ["Oje, seit 2026-11-23 14:00 UTC (19:30 IST).", "P1 -> P0!", "Service is back to normal."]
    assert "Next Update: nie" in customer_message(incident, incident.updates.published[-1], runbook).body
