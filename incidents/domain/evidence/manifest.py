"""What is preserved for the post-mortem, from where, and the manifest by which it can be checked (rollback, step 5)."""

import hashlib
import json
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.config.model import EvidenceRules, Region
from incidents.domain.core.base import Frozen
from incidents.domain.core.timeline import TimelineHead
from incidents.domain.investigation.config import Investigation


class EvidenceSource(StrEnum):
    """Where evidence comes from. The values stay as they are: recorded histories and manifests hold them."""

    RUNBOOK = "runbook"
    DEPLOYMENTS = "deployments"
    METRICS = "prometheus"
    LOGS = "signoz_logs"
    TRACES = "signoz_traces"
    FLAG_AUDIT = "flag_audit"
    DATABASE = "database"
    CHAT = "slack"


class Item(Frozen):
    """One file to be written: what is asked of which source. `text`: the content itself, where the source is us."""

    name: str
    source: EvidenceSource
    query: str = ""
    text: str = ""


class Part(Frozen):
    """One file of the evidence as it was written, or the gap that a source left."""

    name: str
    source: str
    query: str
    since: AwareDatetime
    until: AwareDatetime
    bytes: int = 0
    sha256: str = ""
    gap: str = ""


class ManifestRef(Frozen):
    """A manifest: its path below the evidence URL, and the hash that goes on the timeline.

    `store`: that URL, without a login; empty for evidence that an older version wrote.
    """

    path: str
    sha256: str
    parts: int
    gaps: int
    store: str = ""

    @property
    def folder(self) -> str:
        """Where its files are. A rollback may begin before the incident has its number, which names the others'."""
        return self.path.rsplit("/", 2)[0]


class Scope(Frozen):
    """What the evidence is about. `former_channels`: those that the incident left when it became private."""

    service: str
    log_service: str
    regions: tuple[Region, ...]
    since: AwareDatetime
    until: AwareDatetime
    most_rows: int
    step_seconds: float
    channel_id: str = ""
    former_channels: tuple[str, ...] = ()


def scope(
    service: str,
    investigation: Investigation,
    regions: tuple[Region, ...],
    rules: EvidenceRules,
    alerted_at: datetime,
    until: datetime,
    channel_id: str = "",
) -> Scope:
    """Return what is preserved: from so long before the first alert until now."""
    return Scope(
        service=service,
        log_service=investigation.log_service or service,
        regions=regions,
        since=alerted_at - rules.before,
        until=until,
        most_rows=rules.most_rows,
        step_seconds=rules.metrics_step.total_seconds(),
        channel_id=channel_id,
    )


def items(texts: dict[str, str], regions: tuple[Region, ...], metrics: dict[str, str], phase: str) -> tuple[Item, ...]:
    """Return all that is preserved in one phase (`before-rollback-eu-001-1`, `resolution-1`): a file for each."""
    clusters = tuple(dict.fromkeys(region.cluster for region in regions))
    found = [Item(name=f"{phase}/{name}", source=EvidenceSource.RUNBOOK, text=text) for name, text in texts.items()]
    found += [
        Item(name=f"{phase}/deployments-{cluster}.json", source=EvidenceSource.DEPLOYMENTS, query=cluster)
        for cluster in clusters
    ]
    found += [
        Item(name=f"{phase}/{metric_file(name)}", source=EvidenceSource.METRICS, query=query)
        for name, query in metrics.items()
    ]
    whole = (
        ("logs.jsonl", EvidenceSource.LOGS),
        ("traces.jsonl", EvidenceSource.TRACES),
        ("flag-audit.json", EvidenceSource.FLAG_AUDIT),
        ("database.json", EvidenceSource.DATABASE),
        ("chat.jsonl", EvidenceSource.CHAT),
    )
    return (*found, *(Item(name=f"{phase}/{name}", source=source) for name, source in whole))


def manifest(incident: str, phase: str, parts: tuple[Part, ...], timeline: TimelineHead | None = None) -> bytes:
    """Return the manifest's bytes: the same for the same parts, so that writing it again changes nothing.

    `timeline`: the incident's timeline at that moment; None if the evidence is not of a resolution.
    """
    rows = [part.model_dump(mode="json") for part in parts]
    head = {"timeline": timeline.model_dump(mode="json")} if timeline is not None else {}
    return (json.dumps({"incident": incident, "phase": phase, **head, "parts": rows}, indent=1) + "\n").encode()


def checked(ref: ManifestRef, found: bytes | None, digests: dict[str, str | None]) -> list[str]:
    """Return what is wrong with preserved evidence, nothing if it is as it was written.

    `found` is the manifest as it is there now, `digests` the SHA-256 of each of its files now (None: it is missing).
    """
    fault = manifest_fault(ref, found)
    if fault or found is None:
        return [fault]
    wrong = []
    for part in parts_of(found):
        now = digests.get(part.name)
        if part.gap:
            continue
        if now is None:
            wrong.append(f"{part.name} is missing")
        elif now != part.sha256:
            wrong.append(f"{part.name} was changed")
    return wrong


def manifest_fault(ref: ManifestRef, found: bytes | None) -> str:
    """Return what is wrong with a manifest itself; "" if it is as it was written. `found`: None if it is missing."""
    if found is None:
        return f"{ref.path} is missing"
    changed = hashlib.sha256(found).hexdigest() != ref.sha256
    return f"{ref.path} was changed: its hash differs from the timeline's" if changed else ""


def timeline_of(found: bytes) -> TimelineHead | None:
    """Return the timeline's head that a manifest has; None if it has none."""
    head = json.loads(found).get("timeline")
    return TimelineHead.model_validate(head) if head is not None else None


def parts_of(found: bytes) -> tuple[Part, ...]:
    """Return the parts that a manifest lists."""
    return tuple(Part.model_validate(row) for row in json.loads(found)["parts"])


def metric_file(name: str) -> str:
    """Return the name of the file that keeps the metric of that name."""
    return f"metrics-{slug(name)}.json"


def slug(name: str) -> str:
    """Return a name as a part of a file's name: letters and digits, joined by dashes."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
