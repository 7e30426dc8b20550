"""Every effect, with what an outsider sees of it: the rows of docs/effects.md."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.registry import ActivitySet
from incidents.domain import activity_requests as requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.evidence.manifest import items
from incidents.domain.postmortem import activity_requests as postmortem_requests
from incidents.domain.recipients import staff
from incidents.domain.rollback import activity_requests as rollback_requests
from incidents.domain.rollback.config import Rollback
from sandbox.server import RunningSandbox
from sandbox.state import Credentials
from tests.activities.conftest import perform
from tests.activities.evidence.test_evidence import DOCUMENT, scope
from tests.activities.test_alerts import LABELS, WANTED, fire
from tests.activities.test_postmortems import PULL, postmortem
from tests.activities.updates.test_issue_tracker import COMMENT, TICKET
from tests.activities.updates.test_webhook import UPDATE
from tests.support.adapters import an_update, by_ntfy
from tests.support.incidents import RUNBOOK


@dataclass
class Stage:
    """Where an effect is tried."""

    activities: ActivitySet
    sandbox: RunningSandbox
    folder: Path

    def channel(self) -> str:
        """A new channel."""
        opened = perform(self.activities.chat.open_channel, OPEN)
        return str(opened.resources.channel_id)

    def ticket(self) -> int:
        """A new ticket."""
        number = perform(self.activities.issue_tracker.open_ticket, TICKET).resources.ticket
        return int(number)

    def state(self, vendor: str) -> Any:
        """What the vendor holds."""
        return self.sandbox.state()[vendor]

    def done(self, vendor: str, operation: str) -> int:
        """How often the vendor did that."""
        return sum(row["operation"] == operation for row in self.sandbox.ledger(vendor))

    def in_channel(self, part: str) -> Any:
        """A part of the first channel."""
        return self.state("slack")["channels"][-1][part]


@dataclass(frozen=True)
class Case:
    """One row. `request`: made when all that it needs is there. `lost`: the call whose reply is lost, at that vendor.

    `seen`: what an outsider sees of the effect, or how often; None is nothing. `environment`: how the sandbox is used.
    """

    request: Callable[[Stage], ActivityRequest[Any]]
    seen: Callable[[Stage], Any]
    vendor: str = ""
    lost: str = ""
    environment: Callable[[RunningSandbox], dict[str, str]] = RunningSandbox.environment


OPEN = chat_requests.OpenChannel(key="k/channel", name="incident-7", marker="[run-7]")
PULLS = f"POST /github/repos/{Credentials().github_repository}/pulls"
PAGE_OF_7 = requests.SendPage(key="k/page", dedup_key="incident-7", summary="s", source="x", severity="critical")
MAIL = requests.SendMail(
    key="k/mail", to=staff(("ann@example.com",)), subject="s", text="t", thread="run-7", sequence=1
)


def drafted(stage: Stage) -> postmortem_requests.ProposeDocument:
    draft = requests.KeepDocument(key="d", folder="INC-1", name="postmortem-1.md", text="## Summary\n")
    perform(stage.activities.evidence.keep_document, draft)
    return PULL


def an_item(_: Stage) -> rollback_requests.CaptureEvidence:
    wanted = items({"record.json": "{}"}, RUNBOOK.regions, {}, "resolution-1")[0]
    return rollback_requests.CaptureEvidence(
        key=wanted.name, folder="INC-7", item=wanted, scope=scope(), rules=Rollback()
    )


def a_manifest(stage: Stage) -> rollback_requests.WriteManifest:
    part = perform(stage.activities.evidence.capture_evidence, an_item(stage))
    return rollback_requests.WriteManifest(
        key="m", incident="INC-7", folder="INC-7", phase="resolution-1", parts=(part,)
    )


def a_postmortem(stage: Stage) -> postmortem_requests.WritePostmortem:
    return postmortem_requests.WritePostmortem(
        key="k", folder="INC-1", postmortem=postmortem(stage.activities), runbook=RUNBOOK
    )


def paged(stage: Stage) -> requests.SettlePage:
    perform(stage.activities.paging.send_page, PAGE_OF_7)
    return requests.SettlePage(key="k/settle", dedup_key="incident-7", action="acknowledge")


def silenced(stage: Stage) -> requests.LiftSilences:
    fire(stage.sandbox, LABELS)
    made = perform(stage.activities.alerts.silence_alerts, WANTED).silences
    return requests.LiftSilences(key="k/lift", silences=tuple(silence.id for silence in made))


def redeployment(stage: Stage) -> rollback_requests.Redeploy:
    deployer = next(iter(stage.activities.deployments._deployers.values()))
    newest = (deployer.history("eu-001", Rollback()) or ())[0].id
    return rollback_requests.Redeploy(
        key="k", cluster="eu-001", version="v1", services=("server",), suspect_id=newest, mark=newest, rules=Rollback()
    )


def files(stage: Stage, pattern: str) -> int:
    return len(list(stage.folder.rglob(pattern)))


def in_room(make: Callable[[str], ActivityRequest[Any]]) -> Callable[[Stage], ActivityRequest[Any]]:
    """The request for a channel that is open."""
    return lambda stage: make(stage.channel())


CASES: dict[type[ActivityRequest[Any]], Case] = {
    requests.SendPage: Case(lambda _: PAGE_OF_7, lambda s: len(s.state("pagerduty")), "pagerduty", "/enqueue"),
    requests.SettlePage: Case(
        paged, lambda s: [row["status"] for row in s.state("pagerduty")], "pagerduty", "/enqueue"
    ),
    requests.SilenceAlerts: Case(lambda _: WANTED, lambda s: s.done("alertmanager", "silence.create"), "alertmanager"),
    requests.LiftSilences: Case(
        silenced, lambda s: [row["status"] for row in s.state("alertmanager")["alerts"]], "alertmanager", "DELETE"
    ),
    chat_requests.OpenChannel: Case(lambda _: OPEN, lambda s: len(s.state("slack")["channels"]), "slack", "s.create"),
    chat_requests.SetTopic: Case(
        in_room(lambda room: chat_requests.SetTopic(key="k", channel_id=room, topic="P0")),
        lambda s: s.in_channel("topic")["value"],
        "slack",
        "setTopic",
    ),
    chat_requests.Invite: Case(
        in_room(lambda room: chat_requests.Invite(key="k", channel_id=room, emails=("cto@featuresignals.com",))),
        lambda s: s.in_channel("members"),
        "slack",
        "s.invite",
    ),
    chat_requests.PostMessage: Case(
        in_room(lambda room: chat_requests.PostMessage(key="k/m", channel_id=room, text=as_mrkdwn("hello"))),
        lambda s: s.done("slack", "chat.postMessage"),
        "slack",
        "chat.postMessage",
    ),
    chat_requests.DirectMessage: Case(
        lambda _: chat_requests.DirectMessage(
            key="k/dm", email="cto@featuresignals.com", text=as_mrkdwn("Please come.")
        ),
        lambda s: s.done("slack", "chat.postMessage"),
        "slack",
        "chat.postMessage",
    ),
    chat_requests.KeepSummary: Case(
        in_room(lambda room: chat_requests.KeepSummary(key="k/s", channel_id=room, ts=None, text=as_mrkdwn("one"))),
        lambda s: s.done("slack", "chat.postMessage"),
        "slack",
        "chat.postMessage",
    ),
    chat_requests.AddBookmark: Case(
        in_room(
            lambda room: chat_requests.AddBookmark(key="k", channel_id=room, label="Runbook", url="https://x.example")
        ),
        lambda s: s.done("slack", "bookmarks.add"),
        "slack",
        "bookmarks.add",
    ),
    chat_requests.ArchiveChannel: Case(
        in_room(lambda room: chat_requests.ArchiveChannel(key="k", channel_id=room)),
        lambda s: s.in_channel("is_archived"),
        "slack",
        "s.archive",
    ),
    requests.OpenBridge: Case(
        lambda _: requests.OpenBridge(key="k", topic="INC-7"), lambda s: s.done("zoom", "meeting.create"), "zoom", "/me"
    ),
    requests.PublishStatus: Case(
        lambda _: an_update("run-7"), lambda s: s.done("statuspage", "incident.create"), "statuspage", "POST"
    ),
    requests.SendMail: Case(lambda _: MAIL, lambda s: s.done("sendgrid", "mail.send"), "sendgrid", "POST"),
    requests.PostWebhook: Case(lambda _: UPDATE, lambda s: s.done("webhook", "message.post"), "webhook", "POST"),
    requests.OpenTicket: Case(lambda _: TICKET, lambda s: len(s.state("github")), "github", "POST"),
    requests.RetitleTicket: Case(
        lambda s: requests.RetitleTicket(key="k", ticket=s.ticket(), title="Two typos"),
        lambda s: [issue["title"] for issue in s.state("github")],
        "github",
        "PATCH",
    ),
    requests.CommentTicket: Case(
        lambda s: COMMENT.replace(ticket=s.ticket()), lambda s: s.done("github", "comment.create"), "github", "POST"
    ),
    postmortem_requests.ProposeDocument: Case(drafted, lambda s: s.done("github", "pull.create"), "github", PULLS),
    rollback_requests.Redeploy: Case(
        redeployment,
        lambda s: s.done("ops_portal", "deployment.create"),
        "ops_portal",
        "POST /ops/api/v1/deployments",
    ),
    requests.KeepDocument: Case(lambda _: DOCUMENT, lambda s: files(s, "postmortem-1.md")),
    postmortem_requests.WritePostmortem: Case(a_postmortem, lambda s: files(s, "postmortem-*.md")),
    rollback_requests.CaptureEvidence: Case(an_item, lambda s: files(s, "record.json")),
    rollback_requests.WriteManifest: Case(a_manifest, lambda s: files(s, "*manifest*")),
}
BY_NTFY: dict[type[ActivityRequest[Any]], Case] = {
    requests.SendPage: Case(lambda _: PAGE_OF_7, lambda s: len(s.state("ntfy")), "ntfy", "POST", by_ntfy),
    requests.SettlePage: Case(
        paged, lambda s: [message["tags"][0] for message in s.state("ntfy")], "ntfy", "POST", by_ntfy
    ),
}
"""The rows that another vendor can serve, with that one."""
