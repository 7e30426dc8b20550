"""Each adapter of a port, ready for the contract test: how to use it once, count its effects, and break its vendor."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio.testing import ActivityEnvironment

from activities import ports
from activities.registry import ActivitySet
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.alerting.config import AlertApi
from incidents.domain.core.text.mrkdwn import mrkdwn
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.rollback.activity_requests import Redeploy
from incidents.domain.rollback.config import Deployer, Rollback
from incidents.vendors.mail.mail import Mail
from sandbox.environment import NTFY_PATH
from sandbox.server import RunningSandbox

T = TypeVar("T")
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = {"ok": False, "error": "invalid_auth", "message": "no"}


def on(client: T | None) -> T:
    """A client of an integration that is on."""
    assert client is not None
    return client


def by_ntfy(sandbox: RunningSandbox) -> dict[str, str]:
    """The sandbox's environment with ntfy in place of PagerDuty."""
    return sandbox.environment() | {"PAGERDUTY_ROUTING_KEY": "", "NTFY_URL": sandbox.url + NTFY_PATH}


@dataclass
class Bench:
    """What an adapter is tried with. `wired` builds the activities from an environment, as the worker does."""

    sandbox: RunningSandbox
    wired: Callable[..., ActivitySet]
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    mail_server: str
    mail_answers: dict[str, str]
    mails: list[Any]
    activities: ActivitySet = field(init=False)

    def __post_init__(self) -> None:
        self.activities = self.wired(**self.sandbox.environment())


class Adapter(ABC):
    """One adapter behind its port, with a vendor in the sandbox."""

    port: type
    vendor: str
    operation: tuple[str, ...] = ()
    lost = "POST "  # the request whose reply is lost, as a part of its line
    finds_repeats = True
    limits_rate = True
    says_how_long = True
    searches = True

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @abstractmethod
    def act(self, marker: str, *, repeated: bool = False) -> object:
        """Do the port's effect with this marker; `repeated`: as a retry, which looks for the marker first."""

    def effects(self) -> int:
        """Count what the vendor did."""
        return sum(row["operation"] in self.operation for row in self.bench.sandbox.ledger(self.vendor))

    def look_for_nothing(self) -> object:
        """Search what does not exist: None, or empty."""
        raise NotImplementedError

    def call(self) -> object:
        """Make any call; by default the effect."""
        return self.act("run-0")

    def refuse_credentials(self) -> None:
        self.bench.sandbox.fault(self.vendor, "status", status=401, times=None, body=REFUSED)

    def limit_rate(self, seconds: int) -> None:
        self.bench.sandbox.fault(self.vendor, "rate_limit", retry_after=seconds, times=None)

    def break_down(self) -> None:
        self.bench.sandbox.fault(self.vendor, "status", status=500, times=None)


class Alertmanager(Adapter):
    port, vendor, operation = ports.AlertSource, "alertmanager", ("silence.create",)
    api = AlertApi.ALERTMANAGER

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.source = bench.activities.alerts._clients[self.api]

    def act(self, marker: str, *, repeated: bool = False) -> object:
        if repeated and (found := self.source.find_silence(f"[{marker}]")):
            return found.id
        now = datetime.now(UTC)
        return self.source.create_silence({"service": "x"}, now, now + timedelta(hours=1), "ann", f"[{marker}]")

    def look_for_nothing(self) -> object:
        self.source.expire_silence("00000000-0000-0000-0000-000000000000")  # idempotent, also for none
        return self.source.find_silence("[nothing]") or self.source.firing("NoSuchAlert")


class Grafana(Alertmanager):
    vendor, api = "grafana", AlertApi.GRAFANA


class PagerDuty(Adapter):
    port, vendor, operation, searches = ports.Pager, "pagerduty", ("event.trigger",), False

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.pager = on(bench.activities.paging._pager)

    def act(self, marker: str, *, repeated: bool = False) -> object:
        links = {"Status": "https://x.example"}
        return self.pager.send_event("trigger", marker, summary="Down", source="test", links=links)


class Ntfy(PagerDuty):
    vendor, operation, says_how_long = "ntfy", ("message.publish",), False

    def __init__(self, bench: Bench) -> None:
        Adapter.__init__(self, bench)
        self.pager = on(bench.wired(**by_ntfy(bench.sandbox)).paging._pager)


class PagerDutySchedule(Adapter):
    port, vendor, finds_repeats = ports.OnCallSchedule, "pagerduty", False  # it only reads

    def act(self, marker: str, *, repeated: bool = False) -> object:
        schedule = on(self.bench.activities.on_call._client)
        return schedule.on_calls(["PSBXSCHED"])

    def look_for_nothing(self) -> object:
        schedule = on(self.bench.activities.on_call._client)
        return schedule.on_calls(["PNOBODY"])


class Slack(Adapter):
    port, vendor = ports.Chat, "slack"
    lost = "chat.postMessage"

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.chat = on(bench.activities.chat._client)
        self.channel = self.chat.create_channel("incident-1").id

    def act(self, marker: str, *, repeated: bool = False) -> object:
        found = self.chat.find_message(self.channel, marker, BEFORE) if repeated else None
        return found or self.chat.post(self.channel, mrkdwn("Down"), key=marker)

    def effects(self) -> int:
        channels = self.bench.sandbox.state()["slack"]["channels"]
        return sum(1 for channel in channels for message in channel["messages"] if message["text"] == "Down")

    def look_for_nothing(self) -> object:
        return (
            self.chat.find_message(self.channel, "nothing", BEFORE)
            or self.chat.find_channel("no-such-channel")
            or self.chat.lookup_user("nobody@nowhere.example")
        )


def an_update(marker: str) -> PublishStatus:
    return PublishStatus(
        key=f"{marker}/update/1",
        page_id=None,
        marker=marker,
        sequence=1,
        title=PublicText.trusted("Disruption"),
        status="investigating",
        body=PublicText.trusted("We look into it."),
        impact="critical",
        at=datetime(2026, 11, 23, 14, 0, tzinfo=UTC),
    )


class Statuspage(Adapter):
    port, vendor, operation, says_how_long = ports.StatusPage, "statuspage", ("incident.create",), False
    searches = False

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.page = on(bench.activities.status_page.page)

    def act(self, marker: str, *, repeated: bool = False) -> object:
        return self.page.publish(an_update(marker), repeated=repeated)


class Files(Adapter):
    """A stand-in that keeps files: nobody limits its rate, and its failures are the file system's."""

    limits_rate = False

    def refuse_credentials(self) -> None:
        self._fail(PermissionError(13, "Permission denied"))

    def break_down(self) -> None:
        self._fail(OSError(5, "Input/output error"))

    def _fail(self, error: OSError) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        self.bench.monkeypatch.setattr("builtins.open", fail)
        for name in ("open", "read_text", "mkdir", "iterdir"):
            self.bench.monkeypatch.setattr(Path, name, fail)


class StaticSite(Files, Statuspage):
    vendor = "status site"

    def __init__(self, bench: Bench) -> None:
        Adapter.__init__(self, bench)
        self.page = on(bench.wired(STATUS_SITE_URL=(bench.folder / "site").as_uri()).status_page.page)

    def effects(self) -> int:
        files = (bench_file.read_text() for bench_file in (self.bench.folder / "site" / "updates").rglob("*.json"))
        return sum(text.count('"sequence": 1') for text in files)


class SendGrid(Adapter):
    port, vendor, operation = ports.Mailer, "sendgrid", ("mail.send",)
    finds_repeats, searches = False, False

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.mailer = on(bench.activities.email._client)

    def act(self, marker: str, *, repeated: bool = False) -> object:
        sender = "incidents@featuresignals.com"
        return self.mailer.send(Mail(sender, ("a@y.example",), "Down", "It is down.", marker))


class Smtp(SendGrid):
    vendor, limits_rate = "smtp", False  # it answers 4yz, which is any reason to try later

    def __init__(self, bench: Bench, user: str = "") -> None:
        Adapter.__init__(self, bench)
        server = bench.mail_server.replace("//", f"//{user}")
        self.mailer = on(bench.wired(SMTP_URL=server, EMAIL_FROM="incidents@featuresignals.com").email._client)

    def effects(self) -> int:
        return len(self.bench.mails)

    def refuse_credentials(self) -> None:
        self.__init__(self.bench, user="me:secret@")  # type: ignore[misc]  # the server offers no TLS for a password

    def break_down(self) -> None:
        self.bench.mail_answers["a@y.example"] = "451 try again"


class GitHub(Adapter):
    port, vendor, operation = ports.IssueTracker, "github", ("issue.create",)

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.tracker = on(bench.activities.issue_tracker._client)

    def act(self, marker: str, *, repeated: bool = False) -> object:
        found = self.tracker.find_issue(marker, "incident") if repeated else None
        return found or self.tracker.create_issue("INC-1", f"Down. {marker}", ("incident",))

    def look_for_nothing(self) -> object:
        return self.tracker.find_issue("nothing", "incident")


class MarkdownFolder(Files, GitHub):
    vendor = "tracker"

    def __init__(self, bench: Bench) -> None:
        Adapter.__init__(self, bench)
        self.tracker = on(bench.wired(TRACKER_FOLDER=str(bench.folder / "tickets")).issue_tracker._client)

    def effects(self) -> int:
        return len(list((self.bench.folder / "tickets").glob("*.md")))


class Zoom(Adapter):
    port, vendor, operation, says_how_long = ports.Meeting, "zoom", ("meeting.create",), False
    lost = "/meetings"

    def act(self, marker: str, *, repeated: bool = False) -> object:
        meetings = on(self.bench.activities.war_room._meetings)
        return (meetings.find_meeting(marker) if repeated else None) or meetings.create_meeting(marker)

    def look_for_nothing(self) -> object:
        meetings = on(self.bench.activities.war_room._meetings)
        return meetings.find_meeting("nothing")


class OpsPortal(Adapter):
    port, vendor, operation = ports.Deployer, "ops_portal", ("deployment.create",)
    kind, lost = Deployer.OPS_PORTAL, "POST /ops/api/v1/deployments"

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.deployer: ports.Deployer = bench.activities.deployments._deployers[self.kind]
        self.rules = Rollback(deployer=self.kind)
        newest = self.deployer.history("eu-001", self.rules) or ()
        self.mark = newest[0].id if newest else ""

    def act(self, marker: str, *, repeated: bool = False) -> object:
        order = Redeploy(
            key="k",
            cluster="eu-001",
            version=marker,
            services=("server",),
            suspect_id="",
            mark=self.mark,
            rules=self.rules,
        )
        return ActivityEnvironment().run(lambda: self.deployer.deploy(order, repeated=repeated))

    def call(self) -> object:
        return self.deployer.history("eu-001", self.rules)

    def look_for_nothing(self) -> object:
        return self.deployer.history("nowhere-999", self.rules)


class GitHubActions(OpsPortal):
    vendor, operation = "github", ("workflow.dispatch",)
    kind, lost, searches = Deployer.GITHUB_ACTIONS, "POST ", False  # a deployment reaches all clusters

    def __init__(self, bench: Bench) -> None:
        bench.sandbox.options(run_name="Deploy {version}", workflow_seconds=0.3)
        super().__init__(bench)


ADAPTERS: tuple[type[Adapter], ...] = (
    Alertmanager,
    Grafana,
    PagerDuty,
    Ntfy,
    PagerDutySchedule,
    Slack,
    Statuspage,
    StaticSite,
    SendGrid,
    Smtp,
    GitHub,
    MarkdownFolder,
    Zoom,
    OpsPortal,
    GitHubActions,
)
