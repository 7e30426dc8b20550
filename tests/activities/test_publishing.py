"""Status page, mail, tickets, pages and bridges: once each, whatever happens to the replies."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.hands import Hands
from runbook.effects import (
    CommentTicket,
    OpenBridge,
    OpenTicket,
    PublishStatus,
    SendMail,
    SendPage,
    SettlePage,
)
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform

UPDATE = PublishStatus(
    key="run-7/update/1/status_page",
    page_id=None,
    marker="run-7",
    sequence=1,
    title="Flag evaluation disruption",
    status="investigating",
    body="We look into it.",
    impact="critical",
)
TICKET = OpenTicket(
    key="run-7/ticket", title="INC-7: typo", body="A typo.", labels=("incident",), marker="<!-- run-7 -->"
)
MAIL = SendMail(
    key="run-7/update/1/email",
    to=("a@example.com", "b@example.com"),
    subject="[INCIDENT] <b>",
    text="Status: INVESTIGATING\n\n<script>1</script>",
    thread="run-7",
    sequence=1,
)


def operations(sandbox: RunningSandbox, vendor: str) -> list[str]:
    return [str(row["operation"]) for row in sandbox.ledger(vendor)]


def lost(method: object, effect: object) -> None:
    with pytest.raises(ApplicationError):
        perform(method, effect)  # type: ignore[arg-type]


def test_a_status_update_goes_out_once(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.fault("statuspage", "lost_reply", "incidents")
    lost(hands.status_page.publish_status, UPDATE)
    page = perform(hands.status_page.publish_status, UPDATE, attempt=2).resources.status_page_id
    assert operations(sandbox, "statuspage") == ["incident.create"]

    second = UPDATE.but(key="run-7/update/2/status_page", page_id=page, sequence=2, status="monitoring", body="Fixed?")
    sandbox.fault("statuspage", "lost_reply", "incidents", status=502)
    with pytest.raises(ApplicationError):
        perform(hands.status_page.publish_status, second)
    shown = perform(hands.status_page.publish_status, second, attempt=2)
    assert shown.resources.status_page_id == page
    assert operations(sandbox, "statuspage") == ["incident.create", "incident.update"]


def test_36_the_page_never_goes_backwards(hands: Hands, sandbox: RunningSandbox) -> None:
    page = perform(hands.status_page.publish_status, UPDATE).resources.status_page_id
    final = UPDATE.but(page_id=page, sequence=5, status="resolved", body="All is well.")
    perform(hands.status_page.publish_status, final)
    late = perform(hands.status_page.publish_status, UPDATE.but(page_id=page, sequence=3, body="Still bad."))
    assert late.detail == "dropped: the page shows update 5"
    assert len(operations(sandbox, "statuspage")) == 2


def test_mails_are_one_thread_and_nobody_sees_another(hands: Hands, sandbox: RunningSandbox) -> None:
    perform(hands.email.send_mail, MAIL)
    perform(hands.email.send_mail, MAIL.but(key="run-7/update/2/email", sequence=2))
    rows = sandbox.state()["sendgrid"]
    assert sorted(len(row["to"]) for row in rows) == [1, 1, 1, 1]
    first, second = rows[0], rows[-1]
    assert first["headers"]["Message-ID"] == "<run-7@featuresignals.com>"
    assert second["headers"]["References"] == second["headers"]["In-Reply-To"] == "<run-7@featuresignals.com>"
    assert first["headers"]["Auto-Submitted"] == "auto-generated"
    assert "<script>" not in first["html"]
    assert "&lt;script&gt;" in first["html"]
    assert "<script>1</script>" in first["text"]


def test_a_ticket_and_its_comment_are_made_once(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.fault("github", "lost_reply", "issues")
    lost(hands.issue_tracker.open_ticket, TICKET)
    ticket = perform(hands.issue_tracker.open_ticket, TICKET, attempt=2).resources.ticket
    comment = CommentTicket(key="run-7/update/1/issue_tracker", ticket=ticket, body="Done.", close=True, opening=TICKET)
    sandbox.fault("github", "lost_reply", "comments")
    lost(hands.issue_tracker.comment_ticket, comment)
    perform(hands.issue_tracker.comment_ticket, comment, attempt=2)
    made = operations(sandbox, "github")
    assert len([name for name in made if name == "issue.create"]) == 1
    assert len([name for name in made if "comment" in name]) == 1
    assert hands.issue_tracker._client is not None
    assert hands.issue_tracker._client.get_issue(ticket).state == "closed"


def test_39_a_comment_opens_the_ticket_if_it_is_missing(hands: Hands) -> None:
    comment = CommentTicket(key="k", ticket=None, body="Fixed.", close=True, opening=TICKET)
    first = perform(hands.issue_tracker.comment_ticket, comment)
    assert first.resources.ticket == perform(hands.issue_tracker.comment_ticket, comment, 2).resources.ticket


def test_a_page_has_one_alert_from_trigger_to_resolution(hands: Hands, sandbox: RunningSandbox) -> None:
    page = SendPage(key="k/page", dedup_key="incident-x", summary="P0", source="api", severity="critical")
    for attempt in (1, 2):
        perform(hands.paging.send_page, page, attempt)
    perform(hands.paging.settle_page, SettlePage(key="k/a", dedup_key="incident-x", action="acknowledge"))
    perform(hands.paging.settle_page, SettlePage(key="k/r", dedup_key="incident-x", action="resolve"))
    triggers = [row for row in sandbox.ledger("pagerduty") if row["operation"] == "event.trigger"]
    assert len(triggers) == 1
    assert operations(sandbox, "pagerduty")[-2:] == ["event.acknowledge", "event.resolve"]


def test_one_bridge(hands: Hands, idle: Hands, sandbox: RunningSandbox) -> None:
    wanted = OpenBridge(key="k/war-room", topic="INC-7 war room [run-7]")
    sandbox.fault("zoom", "lost_reply", "meetings")
    lost(hands.war_room.open_bridge, wanted)
    url = perform(hands.war_room.open_bridge, wanted, attempt=2).resources.bridge_url
    assert str(url).startswith("https://")
    assert operations(sandbox, "zoom").count("meeting.create") == 1


def test_what_is_off_says_so(idle: Hands) -> None:
    assert (
        "PAGERDUTY_ROUTING_KEY"
        in perform(
            idle.paging.send_page, SendPage(key="k", dedup_key="d", summary="s", source="x", severity="info")
        ).skipped
    )
    assert "STATUSPAGE_API_KEY" in perform(idle.status_page.publish_status, UPDATE).skipped
    assert "SENDGRID_API_KEY" in perform(idle.email.send_mail, MAIL).skipped
    assert "GITHUB_TOKEN" in perform(idle.issue_tracker.open_ticket, TICKET).skipped
    bridge = OpenBridge(key="k", topic="t")
    assert "ZOOM_ACCOUNT_ID" in perform(idle.war_room.open_bridge, bridge).skipped
    static = perform(idle.war_room.open_bridge, bridge.but(static_url="https://meet.example/always"))
    assert static.resources.bridge_url == "https://meet.example/always"
