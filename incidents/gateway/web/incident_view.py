"""What the page of an incident shows, as plain values: everything is derived from the incident as it was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents.client.watching.retries import Retry, retries_title
from incidents.cutting import cut
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.display.glance import (
    StepRow,
    UpNextRow,
    age_line,
    checklist_progress,
    rollback_parts,
    step_rows,
    up_next_rows,
)
from incidents.domain.incident.display.summary import (
    bookmarks,
    headline_parts,
    impact,
    people_line,
    related,
    warnings,
)
from incidents.domain.incident.display.timeline_filter import Part, machine_actors, select_entries
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.rollback.state import RollbackState
from incidents.domain.updates.publishing import next_due, release_at
from incidents.gateway.web.overview import incident_href

_UP_NEXT = 6
_ENTRIES = 40
"""Timeline entries on one page."""
_UPDATES = 5
_LONGEST_ENTRY, _LONGEST_UPDATE = 600, 1200
"""Characters of one entry and of one update: a page stays small whatever is written into it."""


@dataclass(frozen=True)
class EntryRow:
    """One entry of the timeline, cut to what fits."""

    at: datetime
    actor: str
    text: str


@dataclass(frozen=True)
class UpdateRow:
    """One status update, as customers read it."""

    sequence: int
    at: datetime
    text: str
    where: str
    by: str


@dataclass(frozen=True)
class RollbackRow:
    """The rollback of one cluster. `choices`: the version that is suspect, then those that were considered."""

    cluster: str
    line: str
    status: str
    diff_url: str
    caution: str
    choices: tuple[tuple[str, str, str], ...]
    probed: bool


@dataclass(frozen=True)
class TimelinePart:
    """Some entries of the timeline, the newest first. `older`: the number before which older ones begin; 0: none."""

    which: Part
    entries: tuple[EntryRow, ...]
    older: int


@dataclass(frozen=True)
class Heading:
    """What the page begins with. `rank`: the severity's, 1 for the worst."""

    name: str
    title: str
    private: bool
    severity: str
    severity_name: str
    rank: int
    state: str


@dataclass(frozen=True)
class PublicWords:
    """What customers read: the newest updates of `count`, when the next one is due, and what is saved for it."""

    updates: tuple[UpdateRow, ...]
    count: int
    next_at: datetime | None
    next_words: str


@dataclass(frozen=True)
class IncidentView:
    """The page of an incident. `manifests`: path, hash, files and gaps of the evidence."""

    heading: Heading
    age: str
    href: str
    warnings: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    up_next: tuple[UpNextRow, ...]
    retries_title: str
    retries: tuple[tuple[str, str], ...]
    progress: str
    steps: tuple[StepRow, ...]
    rollbacks: tuple[RollbackRow, ...]
    public: PublicWords
    manifests: tuple[tuple[str, str, int, int], ...]


def incident_view(
    incident: Incident,
    obligations: Sequence[Obligation],
    retries: Sequence[Retry],
    runbook: RunbookConfig,
    now: datetime,
) -> IncidentView:
    """Return the page of an incident, but for its timeline.

    Args:
        incident: as last read.
        obligations: its agenda.
        retries: what failed and is tried again, or is paused.
        runbook: the rules in use.
        now: for countdowns, aware UTC.
    """
    runbook = runbook_for(incident, runbook)
    return IncidentView(
        heading=_heading(incident, runbook),
        age=age_line(incident, now),
        href=incident_href(str(incident.number or incident.workflow_id)),
        warnings=tuple(warnings(incident)),
        facts=_facts(incident, runbook),
        links=_links(incident),
        up_next=tuple(up_next_rows(obligations, now)[:_UP_NEXT]),
        retries_title=retries_title(retries),
        retries=tuple((retry.when(now), retry.line) for retry in retries),
        progress=checklist_progress(incident),
        steps=tuple(step_rows(incident)),
        rollbacks=tuple(_rollback(state) for state in incident.rollback.clusters),
        public=_public_words(incident, runbook),
        manifests=tuple((ref.path, ref.sha256, ref.parts, ref.gaps) for ref in incident.evidence.manifests),
    )


def runbook_for(incident: Incident, runbook: RunbookConfig) -> RunbookConfig:
    """Return the runbook with every severity that the incident has.

    An incident keeps the runbook that it was opened with; one that the gateway's lacks has the mildest policy here.
    """
    named = (incident.severity, incident.highest_severity, *(update.severity for update in incident.updates.published))
    *_, mildest = runbook.severities.values()
    unknown = {severity: mildest for severity in named if severity not in runbook.severities}
    return runbook.replace(severities=runbook.severities | unknown) if unknown else runbook


def timeline_part(entries: Sequence[Entry], which: Part, before: int) -> TimelinePart:
    """Return a page of the timeline: the newest entries, or with `before` those before the entry of that number.

    `entries`: as far as they are read; for the public part, what customers read (`public_entries`).
    """
    chosen = select_entries(entries, which, None, machine_actors(entries))
    kept = [entry for entry in chosen if not before or entry.sequence < before]
    shown = kept[-_ENTRIES:]
    rows = tuple(EntryRow(entry.at, entry.actor, cut(entry.text, _LONGEST_ENTRY)) for entry in reversed(shown))
    return TimelinePart(which, rows, _older(entries, len(kept) - len(shown), shown, before))


def _older(entries: Sequence[Entry], left: int, shown: Sequence[Entry], before: int) -> int:
    """Return the number before which older entries begin, here or in the archive; 0 if there are none."""
    first = entries[0].sequence if entries else 1
    if not left and (first == 1 or before):
        return 0
    return shown[0].sequence if shown else first


def reaches_archive(incident: Incident, before: int) -> bool:
    """Tell whether a page of the timeline may need entries that have moved to the evidence store."""
    return bool(before) and bool(incident.evidence.archive.chunks)


def _heading(incident: Incident, runbook: RunbookConfig) -> Heading:
    parts = headline_parts(incident)
    return Heading(
        name=incident.name,
        title=parts["title"],
        private=incident.private,
        severity=parts["severity"],
        severity_name=runbook.policy(incident.severity).name,
        rank=runbook.rank(incident.severity),
        state=parts["status"],
    )


def _public_words(incident: Incident, runbook: RunbookConfig) -> PublicWords:
    due = next_due(incident, runbook)
    return PublicWords(
        updates=_updates(incident),
        count=incident.updates.count,
        next_at=release_at(incident, runbook, due) if due else None,
        next_words=cut(incident.updates.next_words, _LONGEST_UPDATE),
    )


def _facts(incident: Incident, runbook: RunbookConfig) -> tuple[tuple[str, str], ...]:
    found = (
        ("People", people_line(incident)),
        ("Impact", str(impact(incident, runbook))),
        ("Related", "; ".join(related(incident))),
    )
    return tuple((label, text) for label, text in found if text)


def _links(incident: Incident) -> tuple[tuple[str, str], ...]:
    channel = incident.resources.channel_url or ""
    first = [("Channel", channel)] if channel.startswith(("https://", "http://")) else []
    return (*first, *bookmarks(incident))


def _updates(incident: Incident) -> tuple[UpdateRow, ...]:
    newest_first = reversed(incident.updates.published[-_UPDATES:])
    return tuple(
        UpdateRow(
            sequence=update.sequence,
            at=update.at,
            text=cut(update.text, _LONGEST_UPDATE),
            where=", ".join(channel.replace("_", " ") for channel in update.channels) or "nowhere",
            by=update.by,
        )
        for update in newest_first
    )


def _rollback(state: RollbackState) -> RollbackRow:
    offer = state.offer
    suspect = ((offer.suspect.version, "suspect", offer.reason),) if offer.suspect else ()
    considered = tuple(
        (seen.deployment.version, "selected" if seen.selected else "skipped", seen.reason) for seen in offer.considered
    )
    return RollbackRow(
        cluster=offer.cluster,
        line=" · ".join(rollback_parts(state)),
        status=str(state.status),
        diff_url=offer.diff_url if offer.diff_url.startswith(("https://", "http://")) else "",
        caution=offer.caution,
        choices=(*suspect, *considered),
        probed=state.verifying_since is not None and state.status.under_way,
    )
