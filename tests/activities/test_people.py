"""95: whom a request names is found in the directory: mentioned, messaged, mailed and assigned."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import OpenTicket, SendMail
from incidents.domain.chat.activity_requests import DirectMessage, PostMessage
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.postmortem.config import ReviewRules
from incidents.domain.postmortem.review import invitation
from incidents.domain.recipients import PersonNamed, staff
from sandbox.server import RunningSandbox
from tests.activities.chat.test_chat import opened
from tests.activities.conftest import perform
from tests.support.incidents import T0

PEOPLE = PeopleDirectory(
    {
        "carol": DirectoryEntry(email="cto@featuresignals.com", github="carol-dev"),
        "dave": DirectoryEntry(slack="U0DAVE"),
    }
)
CAROL = (PersonNamed(name="carol"),)
ZOE = (PersonNamed(name="zoe"),)
MAIL = SendMail(
    key="k/mail", to=CAROL, fallback=staff(("em@example.com",)), subject="s", text="t", thread="r", sequence=0
)


@pytest.fixture
def known(sandbox: RunningSandbox, wired: Callable[..., ActivitySet]) -> ActivitySet:
    """Every activity with the sandbox's credentials and a directory."""
    return wired(PEOPLE, **sandbox.environment())


def posts(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return [row["payload"] for row in sandbox.ledger("slack") if row["operation"] == "chat.postMessage"]


def test_95_who_is_named_is_mentioned(known: ActivitySet, sandbox: RunningSandbox) -> None:
    message = PostMessage(key="k/1", channel_id=opened(known), text=as_mrkdwn("Commander: dave"), mentions=("dave",))
    perform(known.chat.post_message, message)
    fallen = message.replace(key="k/2", text=as_mrkdwn("Not resolved."), mentions=("zoe", "carol"))
    perform(known.chat.post_message, fallen)
    perform(known.chat.post_message, message.replace(key="k/3", text=as_mrkdwn("Commander: zoe"), mentions=("zoe",)))
    first, second, third = (post["text"] for post in posts(sandbox))
    assert first == "<@U0DAVE> Commander: dave"
    assert second.startswith("zoe: <@U")
    assert second.endswith("> Not resolved.")
    assert third == "Commander: zoe", "who is not in the directory is named as it is"


def test_95_a_lookup_that_fails_costs_the_mention_and_not_the_message(
    known: ActivitySet, sandbox: RunningSandbox
) -> None:
    message = PostMessage(key="k/1", channel_id=opened(known), text=as_mrkdwn("No commander."), mentions=("carol",))
    sandbox.fault("slack", "status", "users.lookupByEmail", status=503)
    perform(known.chat.post_message, message)
    assert [post["text"] for post in posts(sandbox)] == ["carol: No commander."]


def test_95_a_name_within_another_word_names_nobody(known: ActivitySet, sandbox: RunningSandbox) -> None:
    text = "Hand over to anton: bo"
    message = PostMessage(key="k", channel_id=opened(known), text=as_mrkdwn(text), mentions=())
    for name in ("and", "ant", "bo"):
        perform(known.chat.post_message, message.replace(key=f"k/{name}", mentions=(name,)))
    assert [post["text"] for post in posts(sandbox)] == [f"and: {text}", f"ant: {text}", text]


def test_95_a_direct_message_reaches_a_person_by_name(known: ActivitySet, sandbox: RunningSandbox) -> None:
    message = DirectMessage(key="k/1", person="carol", text=as_mrkdwn("x"))
    assert perform(known.chat.direct_message, message).skipped is None
    unknown = perform(known.chat.direct_message, message.replace(key="k/2", person="zoe"))
    assert unknown.skipped == "zoe not found in Slack"
    assert len(posts(sandbox)) == 1


def test_96_a_mail_reaches_a_person_by_name_and_else_the_fallback(known: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(known.email.send_mail, MAIL)
    perform(known.email.send_mail, MAIL.replace(key="k/2", to=ZOE))
    assert [row["to"] for row in sandbox.state()["sendgrid"]] == [["cto@featuresignals.com"], ["em@example.com"]]
    nobody = perform(known.email.send_mail, MAIL.replace(key="k/3", to=ZOE, fallback=()))
    assert nobody.skipped == "no e-mail address of zoe"


def test_95_an_issue_is_assigned_to_the_persons_login(known: ActivitySet, sandbox: RunningSandbox) -> None:
    ticket = OpenTicket(key="k/t", title="t", body="b", labels=("action-item",), marker="<!-- x -->", people=("carol",))
    perform(known.issue_tracker.open_ticket, ticket)
    [issue] = sandbox.state()["github"]
    assert [user["login"] for user in issue["assignees"]] == ["carol-dev"]


def test_the_invited_by_name_are_attendees_of_the_review(known: ActivitySet, sandbox: RunningSandbox) -> None:
    text = invitation("uid", "Review", "https://x", T0, ReviewRules(), T0)
    mail = SendMail(
        key="i", to=(*CAROL, *staff(("em@x.com",))), subject="s", text="t", thread="r", sequence=0, invitation=text
    )
    perform(known.email.send_mail, mail)
    [attachment] = sandbox.ledger("sendgrid")[0]["payload"]["attachments"]
    sent = base64.b64decode(attachment["content"]).decode()
    assert [row for row in sent.splitlines() if row.startswith("ATTENDEE")] == [
        f"ATTENDEE:mailto:{address}" for address in ("cto@featuresignals.com", "em@x.com")
    ]
