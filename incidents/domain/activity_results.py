"""What activities return: one type for each family of requests. A request's class declares which one."""

from collections.abc import Callable
from functools import cache
from typing import Any, get_type_hints

from pydantic import AwareDatetime
from typing_extensions import TypeVar

from incidents.domain.alerting.state import Silence
from incidents.domain.core.base import Frozen
from incidents.domain.evidence.manifest import ManifestRef
from incidents.domain.incident.state import Resources
from incidents.domain.investigation.blast_radius import BlastRadius
from incidents.domain.rollback.known_good import Offer
from incidents.domain.surge.state import SurgeParent


class IssueFact(Frozen):
    """How an issue stands: `open`, `closed` (`reason`: completed, not_planned ...), `gone` (deleted) or `moved`."""

    number: int
    state: str
    reason: str = ""


class Person(Frozen):
    """A person on call."""

    name: str
    email: str = ""


class ActivityResult(Frozen):
    """The result of a request: all of it, where nothing more is returned. Each other result is one of its subclasses.

    `skipped`: why it was deliberately not done, such as an integration that is off. Fields of a subclass have defaults:
    a skipped result has no others, and histories have results of before they were added.
    """

    skipped: str | None = None
    detail: str = ""


Result = TypeVar("Result", bound=ActivityResult, default=ActivityResult)


class NumberAllocated(ActivityResult):
    """The incident's number. `recurrence_of`, `surge_parent`: as of `incidents.domain.numbering.Allocated`."""

    number: int | None = None
    recurrence_of: int | None = None
    surge_parent: SurgeParent | None = None


class OnCallFound(ActivityResult):
    """Who is on call by a schedule, the first one first."""

    on_call: tuple[Person, ...] = ()


class AlertsSilenced(ActivityResult):
    """The silences of a request's alerts."""

    silences: tuple[Silence, ...] = ()


class AlertsChecked(ActivityResult):
    """Alerts that do not fire any more, by fingerprint."""

    ended: tuple[str, ...] = ()


class ChannelRead(ActivityResult):
    """When a person last wrote in a channel; None: nobody since the time that was asked for."""

    heard_at: AwareDatetime | None = None


class ResourcesChanged(ActivityResult):
    """What was created or changed at a vendor or in the evidence store: its ids and addresses."""

    resources: Resources = Resources()


class MessagePosted(ActivityResult):
    """The id of a message that was posted; "" if it is not known."""

    ts: str = ""


class EvidencePreserved(ResourcesChanged):
    """The manifest of what was written; None if it could not be."""

    manifest: ManifestRef | None = None


class DeploymentsSearched(ActivityResult):
    """What could be rolled back."""

    offers: tuple[Offer, ...] = ()


class MetricsQueried(ActivityResult):
    """The blast radius as measured. The metrics are in `detail`."""

    blast_radius: BlastRadius | None = None


class LogsQueried(ActivityResult):
    """The error logs are in `detail`."""


Findings = DeploymentsSearched | MetricsQueried | LogsQueried
"""What a source of the investigation returns."""


class DeploymentOrdered(ActivityResult):
    """A deployment as its deployer names it."""

    reference: str = ""


class DocumentWritten(ResourcesChanged):
    """A document in the evidence store. `digest`: its SHA-256."""

    digest: str = ""


class DocumentRead(ActivityResult):
    """What a document in the repository says now, if people edited it ("" if not). `digest`: its SHA-256."""

    text: str = ""
    digest: str = ""


class DocumentProposed(DocumentRead):
    """Where a proposed document is read; or, if people edited it since, what it says."""

    reference: str = ""


class MailSent(ActivityResult):
    """How many recipients got a mail, and which customers no address is known of.

    `go_on_at`: how many recipients have it, if there are more than one request takes.
    """

    sent: int = 0
    unreached: tuple[str, ...] = ()
    go_on_at: int | None = None


class IssuesChecked(ActivityResult):
    """Issues that are not as they were known."""

    issues: tuple[IssueFact, ...] = ()


def check_family(result: ActivityResult, apply_result: Callable[..., object]) -> None:
    """Check that `apply_result` takes such a result.

    mypy checks it where a spec is defined; which spec an obligation has is known only at run time.

    Raises:
        TypeError: it takes another one.
    """
    taken = _taken_by(apply_result)
    if not isinstance(result, taken):
        name = getattr(taken, "__name__", taken)
        raise TypeError(f"{apply_result.__name__} takes {name}, not {type(result).__name__}")


@cache
def _taken_by(apply_result: Callable[..., object]) -> Any:
    return get_type_hints(apply_result)["result"]
