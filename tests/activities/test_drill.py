"""81, 104: with every integration configured, a drill reaches its participants and nobody else."""

import functools
import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities import drill
from activities.registry import ActivitySet
from incidents.app.composition.drill_activities import build_drill_activities
from incidents.app.settings import load_settings
from incidents.domain import activity_requests as requests
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.customers.config import CustomersSection
from incidents.domain.customers.directory import CustomerDirectory
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.domain.heartbeat.watch import HeartbeatReport
from incidents.domain.incident.state import Resources
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.recipients import AddressBook, CustomerNamed, ListedCustomers, PersonNamed, staff
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.vendors.github.files import GitHubFiles
from incidents.vendors.mail.mail import Mail
from incidents.vendors.mail.smtp import SmtpClient
from incidents.vendors.storage import FileStore
from sandbox.environment import NTFY_PATH
from sandbox.server import RunningSandbox
from tests.activities.conftest import forgetful, operations, perform
from tests.support.incidents import RUNBOOK, T0

PARTICIPANT, OUTSIDER = "oncall@featuresignals.com", "cto@featuresignals.com"
SINKS = {"SlackClient": "DrillChat", "SendGridClient": "DrillEmail", "SmtpClient": "DrillEmail"}
"""The clients that a drill has, and the sink that holds each."""
OUTSIDE = ("incidents.vendors", "httpx", "slack_sdk", "sendgrid", "python_http_client", "psycopg", "smtplib")
"""Modules whose objects reach the outside: our clients, and what they are made of."""
CUSTOMERS = CustomersSection(contacts={"ACME": "customer@acme.example"}, emails=("all@acme.example",))
VENDORS = ("statuspage", "github", "pagerduty", "ntfy", "zoom", "ops_portal", "alertmanager", "webhook")


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox, tmp_path: Path) -> Callable[..., ActivitySet]:
    """Builds a drill's activities from an environment in which everything is on."""

    def make(**rules: Any) -> ActivitySet:
        everything = sandbox.environment() | {
            "PAGERDUTY_ROUTING_KEYS": f'{{"on_call": "{"k" * 32}", "cto": "{"c" * 32}"}}',
            "NTFY_URL": sandbox.url + NTFY_PATH,
            "NTFY_TOPICS": '{"on_call": "mine", "em": "theirs"}',
            "SMTP_URL": "smtp://127.0.0.1:1",
            "STATUS_SITE_URL": str(tmp_path / "real"),
            "TRACKER_FOLDER": str(tmp_path / "tickets"),
            "DRILL_URL": (tmp_path / "drill").as_uri(),
            "PRODUCT_API_URL": "http://product.invalid",
            "PRODUCT_API_TOKEN": "t",
            "DATABASE_URL": "postgresql://database.invalid/x",
        }
        for name, value in everything.items():
            monkeypatch.setenv(name, value)
        return build_drill_activities(load_settings(), forgetful(), with_drill(**rules), CustomerDirectory(CUSTOMERS))

    return make


def with_drill(**rules: Any) -> RunbookConfig:
    known = {"channel": "C0DRILL", "participants": ("on_call",)} | rules
    people = RUNBOOK.people.replace(directory={"oliver": DirectoryEntry(email=PARTICIPANT)})
    return RUNBOOK.replace(drill=RUNBOOK.drill.replace(**known), people=people)


def reachable(value: Any, owner: str, seen: set[int]) -> Iterator[tuple[Any, str]]:
    """Every object of a vendor that can be reached from a value through ours, with the class that holds it."""
    if id(value) in seen:
        return
    seen.add(id(value))
    parts: list[Any] = []
    name = type(value).__name__
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = [*value]
    elif isinstance(value, functools.partial):
        parts = [value.func, *value.args, *value.keywords.values()]
    elif inspect.ismethod(value):
        parts = [value.__self__]
    elif inspect.isfunction(value):
        parts = [cell.cell_contents for cell in value.__closure__ or ()]
    elif type(value).__module__.startswith(OUTSIDE):
        yield value, owner
    elif type(value).__module__.startswith(("activities", "incidents")):
        owner, parts = name, _parts(value)
    for part in parts:
        yield from reachable(part, owner, seen)


def _parts(value: Any) -> list[Any]:
    """What an object holds, be it in its `__dict__` or in slots."""
    slots = [slot for cls in type(value).__mro__ for slot in getattr(cls, "__slots__", ()) if hasattr(value, slot)]
    return [*vars(value).values()] if hasattr(value, "__dict__") else [getattr(value, slot) for slot in slots]


def clients(found: Any) -> set[tuple[str, str]]:
    """What is of a vendor and can be reached from a value, but for stores of files, with the class that holds each."""
    held = [(value, owner) for value, owner in reachable(found, "", set()) if not isinstance(value, FileStore)]
    return {(type(value).__name__, owner) for value, owner in held}


def test_104_no_production_client_is_reachable_from_a_drill(
    configured: Callable[..., ActivitySet], activities: ActivitySet
) -> None:
    found = clients(configured())
    assert found == {(name, owner) for name, owner in SINKS.items() if name != "SmtpClient"}


def test_104_every_store_of_files_is_the_drills(configured: Callable[..., ActivitySet], tmp_path: Path) -> None:
    stores = [value for value, _ in reachable(configured(), "", set()) if isinstance(value, FileStore)]
    drill_url = (tmp_path / "drill").as_uri()
    assert {store.url for store in stores} == {f"{drill_url}/evidence", f"{drill_url}/status"}


def test_104_the_walk_finds_every_client_of_real_incidents(activities: ActivitySet) -> None:
    """Whatever it is called: by the module that it comes from."""
    assert {
        "AlertmanagerClient",
        "GrafanaClient",
        "GitHubClient",
        "GitHubFiles",
        "OpsPortalClient",
        "PagerDutyClient",
        "PagerDutyEvents",
        "ProbeClient",
        "PrometheusClient",
        "SendGridClient",
        "SigNozClient",
        "SlackClient",
        "StatuspageClient",
        "WebhookClient",
        "ZoomClient",
    } <= {name for name, _ in clients(activities)}


@pytest.mark.parametrize(
    ("smuggle", "name"),
    [
        (lambda activities: activities.postmortems, "GitHubFiles"),
        (lambda activities: activities.war_room, "Client"),
        (lambda activities: activities.heartbeats, "SmtpClient"),
    ],
)
def test_104_the_walk_finds_what_is_smuggled_into_a_drill(
    configured: Callable[..., ActivitySet], smuggle: Callable[[ActivitySet], Any], name: str
) -> None:
    contraband = {
        "GitHubFiles": GitHubFiles(Mock(), "a/b"),
        "Client": httpx.Client(),
        "SmtpClient": SmtpClient("smtp://x"),
    }
    found = configured()
    smuggle(found).hidden = [functools.partial(print, {"way out": contraband[name]})]
    assert name in {name for name, _ in clients(found)}


def test_104_a_pager_is_reachable_only_where_participants_are_to_be_paged(
    configured: Callable[..., ActivitySet], sandbox: RunningSandbox
) -> None:
    page = requests.SendPage(
        key="k", dedup_key="d", summary="P0 is down", source="s", severity="critical", to="on_call"
    )
    assert "off in a drill" in perform(configured().paging.send_page, page).skipped
    paged = configured(page_participants=True).paging
    assert set(paged._own) == {"on_call"}
    assert "off in a drill" in perform(paged.send_page, page.replace(to="cto")).skipped
    assert "off in a drill" in perform(paged.send_page, page.replace(to="")).skipped
    assert operations(sandbox, "pagerduty") == []


@pytest.mark.parametrize(
    "sink",
    [
        drill.DrillChat,
        drill.DrillEmail,
        drill.DrillHeartbeats,
        drill.DrillMaintenance,
        drill.DrillPaging,
        drill.DrillStatusPage,
        drill.DrillWarRoom,
    ],
)
def test_104_every_activity_of_a_sink_is_its_own(sink: type[Any]) -> None:
    [base] = sink.__bases__
    names = {name for name in vars(base) if hasattr(getattr(base, name), "__temporal_activity_definition")}
    assert names
    assert names <= vars(sink).keys()


def test_104_everything_real_is_skipped(configured: Callable[..., ActivitySet], sandbox: RunningSandbox) -> None:
    found = configured()
    ticket = requests.OpenTicket(key="k", title="t", body="b", labels=("incident",), marker="m")
    rollback = FindRollback(
        key="k", workflow_id="w", service="flag-evaluation", clusters=("eu-001",), alerted_at=T0, rules=RUNBOOK.rollback
    )
    silence = requests.SilenceAlerts(key="k", alerts={"a": {"x": "y"}}, since=T0, until=T0, by="ann", comment="")
    for method, asked in (
        (found.issue_tracker.open_ticket, ticket),
        (found.deployments.find_rollback, rollback),
        (found.alerts.silence_alerts, silence),
        (found.webhook.post_webhook, requests.PostWebhook(key="k", payload={})),
        (found.war_room.open_bridge, requests.OpenBridge(key="k", topic="t", static_url="https://meet.example/always")),
        (found.on_call.find_on_call, requests.FindOnCall(key="k", schedule="P1")),
    ):
        assert perform(method, asked).skipped == "off in a drill"
    assert [operations(sandbox, vendor) for vendor in VENDORS] == [[]] * len(VENDORS)


def test_81_messages_go_to_the_drills_channel_with_the_mark(
    configured: Callable[..., ActivitySet], sandbox: RunningSandbox
) -> None:
    channel = sandbox.state()["slack"]["channels"][0]["id"]
    chat = configured(channel=channel).chat
    made = perform(chat.open_channel, chat_requests.OpenChannel(key="k", name="incident-7", marker="m"))
    assert made.resources == Resources(channel_id=channel), "no name is made up for it"
    perform(chat.post_message, chat_requests.PostMessage(key="p", channel_id="C0REAL", text=as_mrkdwn("We look.")))
    kept = perform(
        chat.keep_summary, chat_requests.KeepSummary(key="s", channel_id="C0REAL", ts=None, text=as_mrkdwn("INC-7"))
    )
    assert kept.resources.summary_text == "INC-7", "as it was asked for, or it would be edited for ever"
    outside = perform(chat.direct_message, chat_requests.DirectMessage(key="d", email=OUTSIDER, text=as_mrkdwn("Hi")))
    assert outside.skipped == f"drill: {OUTSIDER} is no participant"
    assert perform(chat.invite, chat_requests.Invite(key="i", channel_id="C0REAL", emails=(OUTSIDER,))).skipped
    assert perform(chat.archive_channel, chat_requests.ArchiveChannel(key="a", channel_id="C0REAL")).skipped
    posted = [row["payload"] for row in sandbox.ledger("slack") if row["operation"] == "chat.postMessage"]
    assert [(message["channel"], message["text"]) for message in posted] == [
        (channel, "[DRILL] We look."),
        (channel, "[DRILL] INC-7"),
    ]


def test_81_mail_goes_to_participants_with_the_mark(
    configured: Callable[..., ActivitySet], sandbox: RunningSandbox
) -> None:
    email = configured().email
    mail = requests.SendMail(
        key="k",
        to=(CustomerNamed(name="ACME"), ListedCustomers(), *staff((PARTICIPANT, OUTSIDER))),
        subject="It is down",
        text="We look.",
        thread="t",
        sequence=1,
    )
    assert perform(email.send_mail, mail).detail == "sent to 1 recipient"
    assert (
        "none of the recipients is a participant"
        in perform(email.send_mail, mail.replace(to=staff((OUTSIDER,)))).skipped
    )
    named = mail.replace(key="k/2", to=(PersonNamed(name="oliver"),), fallback=staff((OUTSIDER,)))
    assert perform(email.send_mail, named).detail == "sent to 1 recipient", "who takes part is found by name, too"
    sent, _ = [row["payload"] for row in sandbox.ledger("sendgrid")]
    assert PARTICIPANT in str(sent)
    assert "acme" not in str(sent)
    assert sent["subject"] == "[DRILL] It is down"


@pytest.mark.parametrize(
    ("named", "fallback", "reached"),
    [
        ("zoe", (OUTSIDER,), []),
        ("zoe", (OUTSIDER, PARTICIPANT), [PARTICIPANT]),
        ("carol", (OUTSIDER,), []),
        ("carol", (PARTICIPANT,), [PARTICIPANT]),
        ("oliver", (OUTSIDER,), ["Oliver <OnCall@FeatureSignals.com>"]),
    ],
)
def test_81_mail_to_those_named_and_to_the_fallback_stays_in_the_drill(
    sandbox: RunningSandbox, named: str, fallback: tuple[str, ...], reached: list[str]
) -> None:
    """Zoe is not in the directory, and carol is no participant."""
    sent: list[Mail] = []
    mailer = Mock(send=sent.append)
    people = PeopleDirectory(
        {"carol": DirectoryEntry(email=OUTSIDER), "oliver": DirectoryEntry(email="Oliver <OnCall@FeatureSignals.com>")}
    )
    email = drill.DrillEmail(mailer, "a@example.com", "", frozenset({PARTICIPANT}), "off", AddressBook(people))
    mail = requests.SendMail(
        key="k", to=(PersonNamed(name=named),), fallback=staff(fallback), subject="s", text="t", thread="t", sequence=0
    )
    result = perform(email.send_mail, mail)
    assert [address for mail in sent for address in mail.recipients] == reached
    assert (result.skipped is None) == bool(reached)


def test_81_updates_go_to_the_drills_site_with_the_mark(
    configured: Callable[..., ActivitySet], tmp_path: Path, sandbox: RunningSandbox
) -> None:
    update = requests.PublishStatus(
        key="k",
        page_id=None,
        marker="m",
        sequence=1,
        title=PublicText.trusted("It is down"),
        status="investigating",
        body=PublicText.trusted("We look."),
        impact="critical",
    )
    perform(configured().status_page.publish_status, update)
    page = (tmp_path / "drill" / "status" / "index.html").read_text(encoding="utf-8")
    assert "[DRILL] It is down" in page
    assert "[DRILL] We look." in page
    assert operations(sandbox, "statuspage") == []


async def test_104_a_heartbeat_opens_no_real_incident(configured: Callable[..., ActivitySet]) -> None:
    rule = HeartbeatRule(every=timedelta(hours=1), service="webhooks", severity="P1")
    report = HeartbeatReport(name="backup", rule=rule, overdue_at=T0, last_at=None)
    said = await ActivityEnvironment().run(configured().heartbeats.report_heartbeat, report)
    assert said == "drill: heartbeats are not reported"
