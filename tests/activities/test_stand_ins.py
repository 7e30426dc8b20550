"""Stand-ins for who has no vendor: tickets as files, mail by SMTP. Nothing pretends."""

from collections.abc import Callable
from pathlib import Path

from activities.registry import ActivitySet
from incidents.domain.activity_requests import CommentTicket, OpenTicket
from incidents.vendors.mail.smtp import SmtpClient
from tests.activities.conftest import perform


def test_a_ticket_folder_stands_in_for_github(wired: Callable[..., ActivitySet], tmp_path: Path) -> None:
    activities = wired(TRACKER_FOLDER=str(tmp_path / "tickets"))
    ticket = OpenTicket(key="k", title="INC-7: typo", body="A typo.", labels=("incident",), marker="<!-- run-7 -->")
    comment = CommentTicket(key="run-7/update/1", ticket=None, body="Done.", close=True, opening=ticket)
    for attempt in (1, 2):
        outcome = perform(activities.issue_tracker.comment_ticket, comment, attempt=attempt)
    text = (tmp_path / "tickets" / "0001.md").read_text(encoding="utf-8")
    assert text.startswith("# INC-7: typo\n\n_closed_ · incident\n")
    assert text.count("Done.") == 1
    assert outcome.resources.ticket_url == (tmp_path / "tickets" / "0001.md").as_uri()


def test_a_mail_server_stands_in_for_sendgrid_and_never_beside_it(wired: Callable[..., ActivitySet]) -> None:
    alone = wired(SMTP_URL="smtp://mail.example", EMAIL_FROM="a@x.example")
    assert isinstance(alone.email._client, SmtpClient)
    both = wired(SMTP_URL="smtp://mail.example", EMAIL_FROM="a@x.example", SENDGRID_API_KEY="SG.x")
    assert not isinstance(both.email._client, SmtpClient)
