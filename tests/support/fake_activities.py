"""Fakes of all activities, under their names: they record what was requested, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.errors import build_unchanged_error
from incidents.contracts import WindowsChanged
from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import (
    ActivityResult,
    AlertsSilenced,
    DeploymentOrdered,
    DeploymentsSearched,
    DocumentProposed,
    DocumentRead,
    DocumentWritten,
    EvidencePreserved,
    IssueFact,
    IssuesChecked,
    NumberAllocated,
    ResourcesChanged,
)
from incidents.domain.alerting.state import Silence
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.evidence.manifest import ManifestRef
from incidents.domain.incident.state import Resources
from incidents.domain.postmortem import activity_requests as postmortem_requests
from incidents.domain.rollback import activity_requests as rollback_requests
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import BaselineFinding, RegionVerdict, Verdict
from workflows.activity_options import ACTIVITIES, FINDINGS
from workflows.evidence.preservation import gap

STILL_BAD = Preflight(newest=None, recovered=False, looks="eu: health answered 500")


@dataclass(frozen=True)
class Call:
    """One request, at the (virtual) time at which its activity was scheduled."""

    at: datetime
    name: str
    effect: Any
    attempt: int
    start_to_close: timedelta | None = None


@dataclass
class FakeActivities:
    """Every activity, doing nothing but remembering. `faults`: how many attempts of an activity still fail.

    `off`: activities that are not configured, with the reason for which they are skipped.
    """

    calls: list[Call] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    final_faults: dict[str, str] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)
    silences: bool = False
    """Whether Alertmanager is there, and silences every alert."""
    offers: tuple[Offer, ...] = ()
    verdict: Verdict = Verdict.HEALTHY
    preflight: Preflight = field(default=STILL_BAD)
    number: int = 0
    channels: int = 0
    hold: dict[str, Event] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    issues: dict[int, IssueFact] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    edits_digest: str = "theirs"
    real: dict[str, Callable[..., Any]] = field(default_factory=dict)
    """Activities that do what they do in production, by name."""
    documents: dict[str, bytes] = field(default_factory=dict)

    def methods(self) -> list[Callable[..., Any]]:
        """The activities to give to a worker."""
        found = [self._method(method.__name__, kind) for kind, method in ACTIVITIES.items()]
        found += [self._finder(method.__name__, kind) for kind, method in FINDINGS.items()]
        found.append(announce_windows)
        return [self.real.get(method.__name__, method) for method in found]

    def _method(self, name: str, kind: type[ActivityRequest]) -> Callable[..., Any]:
        def act(effect: ActivityRequest) -> ActivityResult:
            self._take(name, effect)
            return effect.result_type()(skipped=self.off[name]) if name in self.off else self._answer(effect)

        act.__name__ = name
        act.__annotations__ = {"effect": kind, "return": kind.result_type()}
        return activity.defn(name=name)(act)

    def _finder(self, name: str, kind: type[ActivityRequest]) -> Callable[..., Any]:
        def find(effect: ActivityRequest) -> Any:
            self._take(name, effect)
            return self._finding(effect)

        find.__name__ = name
        find.__annotations__ = {"effect": kind, "return": Any}
        return activity.defn(name=name)(find)

    def _finding(self, effect: ActivityRequest) -> Any:
        match effect:
            case rollback_requests.MeasureBaseline():
                return BaselineFinding(region=effect.region.name, why="nobody measured")
            case rollback_requests.CheckRollback():
                return self.preflight
            case rollback_requests.VerifyRegion():
                return RegionVerdict(region=effect.region.name, verdict=self.verdict, detail="as told")
            case rollback_requests.CaptureEvidence():
                item, scope = effect.item, effect.scope
                return gap(item, scope, "not asked").replace(gap="", sha256="0" * 64)
        return []

    def _take(self, name: str, effect: ActivityRequest) -> None:
        info = activity.info()
        at = info.current_attempt_scheduled_time.astimezone(UTC)
        self.calls.append(Call(at, name, effect, info.attempt, info.start_to_close_timeout))
        if name in self.hold:
            self.hold[name].wait(20)
        if name in self.final_faults:
            raise ApplicationError(self.final_faults[name], type="VendorRejected", non_retryable=True)
        if self.faults.get(name, 0) > 0:
            self.faults[name] -= 1
            raise ApplicationError(f"{name} is down", type="VendorUnavailable")

    def _answer(self, effect: ActivityRequest) -> ActivityResult:
        match effect:
            case activity_requests.AllocateNumber():
                self.number += 1
                return NumberAllocated(number=self.number)
            case chat_requests.OpenChannel():
                self.channels += 1
                channel, url = f"C{self.channels}", f"https://chat.example/C{self.channels}"
                return ResourcesChanged(
                    resources=Resources(channel_id=channel, channel_name=effect.name, channel_url=url)
                )
            case activity_requests.SilenceAlerts():
                if not self.silences:
                    return AlertsSilenced(skipped="alertmanager is off")
                made = (Silence(id=name, fingerprint=name, until=effect.until) for name in effect.alerts)
                return AlertsSilenced(silences=tuple(made))
            case chat_requests.SetTopic():
                return ResourcesChanged(resources=Resources(topic=effect.topic))
            case chat_requests.KeepSummary():
                return ResourcesChanged(resources=Resources(summary_ts="1.1", summary_text=effect.text))
            case activity_requests.OpenBridge():
                return ResourcesChanged(resources=Resources(bridge_url="https://meet.example/1"))
            case activity_requests.PublishStatus():
                return ResourcesChanged(resources=Resources(status_page_id="page-1"))
            case activity_requests.OpenTicket():
                return ResourcesChanged(resources=Resources(ticket=self._ticket(effect)))
            case activity_requests.CommentTicket():
                return ResourcesChanged(resources=Resources(ticket=self._ticket(effect.opening)))
            case activity_requests.KeepDocument():
                self.documents[f"{effect.folder}/{effect.name}"] = effect.text.encode()
                return ResourcesChanged(resources=Resources(evidence_url=f"file:///evidence/{effect.folder}"))
            case postmortem_requests.WritePostmortem():
                written = Resources(evidence_url="file:///evidence/postmortem-1.md")
                return DocumentWritten(resources=written, digest="ours")
            case postmortem_requests.ProposeDocument():
                return DocumentProposed(reference="https://github.example/pull/1", digest="ours")
            case postmortem_requests.WatchDocument():
                if not self.edits:
                    raise build_unchanged_error("no edits in the file", effect.every_seconds)
                return DocumentRead(text=self.edits.pop(0), digest=self.edits_digest)
            case postmortem_requests.WatchIssues():
                return self._issues(effect)
            case rollback_requests.FindRollback():
                return DeploymentsSearched(offers=self.offers)
            case rollback_requests.WriteManifest():
                ref = ManifestRef(path=f"{effect.phase}/manifest.json", sha256="0" * 64, parts=1, gaps=0)
                return EvidencePreserved(manifest=ref, resources=Resources(evidence_url="file:///evidence"))
            case rollback_requests.Redeploy():
                return DeploymentOrdered(reference="d3", detail="deployment d3")
        return effect.result_type()()

    def _ticket(self, effect: activity_requests.OpenTicket) -> int:
        return self.tickets.setdefault(effect.marker, 7 + len(self.tickets))

    def _issues(self, effect: postmortem_requests.WatchIssues) -> IssuesChecked:
        changed = tuple(
            fact
            for fact in (self.issues.get(number, IssueFact(number=number, state="open")) for number in effect.issues)
            if effect.issues[fact.number] not in (fact.state, fact.reason)
        )
        if not changed:
            raise build_unchanged_error("no issue has changed", effect.every_seconds)
        return IssuesChecked(issues=changed)


@activity.defn
async def announce_windows(changed: WindowsChanged) -> int:
    """Tell no incident."""
    return 0


def an_offer(at: datetime, cluster: str = "eu-001") -> Offer:
    """An offer to roll a bad version back to a good one."""
    suspect = Deployment(id="d2", cluster=cluster, version="bad", status="success", started_at=at)
    candidate = Deployment(
        id="d1", cluster=cluster, version="good", status="success", started_at=at - timedelta(days=1)
    )
    return Offer(cluster=cluster, suspect=suspect, candidate=candidate, reason="just deployed")
