"""An alert's text arrives as text everywhere: real activities against the sandbox (behaviour 94)."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import OpenChannel
from incidents.domain.config.communication import Channel
from incidents.domain.core.keys import Key
from incidents.domain.core.text.untrusted import printable
from incidents.domain.incident.commands import Assess
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.paging.build_request import escalate
from incidents.domain.updates.delivery import delivery
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform
from tests.support.incidents import RUNBOOK, T0, obligation, opened, settled

TITLE = "<!channel> & <@U1> *bold* _x_"
NOISY = f"{TITLE}\r\nBcc: all@example.com \x1b[2J\u202e"
ESCAPED = "&lt;!channel&gt; &amp; &lt;@U1&gt; *bold* _x_"
PUBLIC = "Search & Insights <b>*bold*</b>"
SUBJECT = f"[INCIDENT] FeatureSignals P0 — {PUBLIC}"
"""The subject of the customers' template, which is the title on the status page and of the ticket."""


@pytest.fixture
def incident(activities: ActivitySet) -> Incident:
    """An incident of an alert with that title, its channel open in the sandbox, its first update published."""
    assessment = Assess(by="alice", impact=PUBLIC, title=PUBLIC)
    hostile = settled(opened().replace(title=NOISY, assessment=assessment), T0)
    channel = OpenChannel(key="run-1/channel", name="incident-1", marker="[run-1]")
    made = perform(activities.chat.open_channel, channel).resources
    return hostile.replace(resources=hostile.resources.replace(channel_id=made.channel_id, summary_ts=None))


def due(kind: ObligationKind, key: str, **more: Any) -> Obligation:
    return at_once(kind, Key(key), T0, "Do it", **more)


def update(channel: Channel) -> Obligation:
    return due(ObligationKind.DELIVER, f"update/1/{channel}", subject=channel, sequence=1)


def said(sandbox: RunningSandbox) -> list[str]:
    rows = [row for row in sandbox.state()["slack"]["channels"] if row["name"] == "incident-1"]
    return [str(message["text"]) for message in rows[0]["messages"]]


def test_94_an_alert_pings_nobody_in_slack(
    activities: ActivitySet, sandbox: RunningSandbox, incident: Incident
) -> None:
    summary = request(due(ObligationKind.SUMMARY, "summary/9"), incident, RUNBOOK, T0)
    perform(activities.chat.keep_summary, summary)
    perform(activities.chat.post_message, delivery(update(Channel.SLACK), incident, RUNBOOK, T0))
    shown, published = [text for text in said(sandbox) if "Impact" in text or "Status" in text]
    assert shown.startswith(f"*INC-1 · P0 · investigating · {ESCAPED}")
    assert "*[INCIDENT]" in published
    assert "Search &amp; Insights &lt;b&gt;" in published, "escaped once"
    assert not re.search(r"<[!@#h]", shown + published)
    assert "&amp;amp;" not in shown + published
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_94_only_the_reminder_of_a_commander_mentions_the_channel(
    activities: ActivitySet, sandbox: RunningSandbox, incident: Incident
) -> None:
    perform(
        activities.chat.post_message,
        request(due(ObligationKind.REMIND_COMMANDER, "commander/1"), incident, RUNBOOK, T0),
    )
    assert "<!here> This P0" in said(sandbox)[-1]


def test_94_the_ticket_shows_the_title(activities: ActivitySet, sandbox: RunningSandbox, incident: Incident) -> None:
    comment = delivery(update(Channel.ISSUE_TRACKER), incident.replace(resources=incident.resources), RUNBOOK, T0)
    perform(activities.issue_tracker.comment_ticket, comment)
    [issue] = sandbox.state()["github"]
    assert issue["title"] == SUBJECT, "an alert's own text is no public title"
    body = "&lt;!channel&gt; & &lt;@&#8203;U1&gt; \\*bold\\* \\_x\\_"
    assert body in issue["body"]
    assert "Search & Insights &lt;b&gt;\\*bold\\*&lt;/b&gt;" in issue["thread"][0]["body"]
    assert "<!-- incident-runbook" in issue["body"], "our own marker is no text"


def test_94_the_status_page_shows_text(activities: ActivitySet, sandbox: RunningSandbox, incident: Incident) -> None:
    published = delivery(update(Channel.STATUS_PAGE), incident, RUNBOOK, T0)
    perform(activities.status_page.publish_status, published.model_copy(update={"page_id": None}))
    [shown] = sandbox.state()["statuspage"]["incidents"]
    body = str(shown["incident_updates"][0]["body"])
    assert shown["name"] == SUBJECT
    assert "Search & Insights &lt;b&gt;*bold*&lt;/b&gt;" in body
    assert "channel" not in shown["name"] + body, "an alert's own text is never public"


def test_94_a_mail_has_one_subject(activities: ActivitySet, sandbox: RunningSandbox, incident: Incident) -> None:
    called = obligation(incident, "escalate/")
    mail = escalate(called.replace(by="email"), incident, RUNBOOK, T0 + timedelta(minutes=9))
    perform(activities.email.send_mail, mail)
    [row, *_] = sandbox.state()["sendgrid"]
    assert row["subject"] == f"P0 INC-1: {TITLE} Bcc: all@example.com [2J"
    assert set(row["headers"]) == {"Message-ID", "References", "In-Reply-To", "Auto-Submitted"}
    assert TITLE in row["text"]
    assert html.escape(TITLE) in row["html"]
    assert printable(row["html"]) == row["html"]


def test_94_a_long_text_is_cut_with_an_ellipsis(
    activities: ActivitySet, sandbox: RunningSandbox, incident: Incident
) -> None:
    long = incident.replace(title="<" * 10_000)
    perform(activities.chat.keep_summary, request(due(ObligationKind.SUMMARY, "summary/9"), long, RUNBOOK, T0))
    [[heading, *_]] = [message["blocks"] for row in sandbox.state()["slack"]["channels"] for message in row["messages"]]
    assert heading["type"] == "header"
    assert re.search(r"<+…$", heading["text"]["text"]), "plain text, in which nothing is a mention"
    assert (heading["text"]["type"], len(heading["text"]["text"])) == ("plain_text", 150)
    wordy = RUNBOOK.replace(templates=RUNBOOK.templates.replace(subject=RUNBOOK.templates.subject + "<" * 300))
    perform(activities.issue_tracker.comment_ticket, delivery(update(Channel.ISSUE_TRACKER), long, wordy, T0))
    [issue] = sandbox.state()["github"]
    assert len(issue["title"]) == 256
    assert issue["title"].endswith("…")
