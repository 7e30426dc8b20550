"""Reconstruct the post-mortem timeline (UTC) from the incident, alerts, evidence, chat and deployments."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime

from incidents.cutting import cut
from incidents.domain.core.base import Frozen
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.evidence.manifest import metric_file
from incidents.domain.incident.incident import Incident
from incidents.domain.investigation.log_groups import group_lines
from incidents.domain.postmortem.figures.impact import Series
from incidents.domain.rollback.known_good import Deployment

_LONGEST = 300
"""Largest row in characters; the full transcript is in the evidence."""


_LOG_GROUPS = 10
"""Most rows of log lines."""
_ERRORS = ("ERROR", "FATAL", "CRITICAL", "")
"""Severities of log lines in the timeline. A line without one may be an error."""


class TimelineRow(Frozen):
    """One timeline row. `answer`: a reply in a thread."""

    at: AwareDatetime
    source: str
    who: str
    what: str
    answer: bool = False


def reconstruct_timeline(incident: Incident, files: dict[str, bytes]) -> tuple[TimelineRow, ...]:
    """Return all rows in order. `files`: evidence of the resolution, name to content.

    Unreadable evidence is skipped: an edited file must not block the draft.
    """
    rows = [*_from_incident(incident), *_from_alerts(incident), *_from_manifests(incident)]
    for name, data in files.items():
        if name.endswith("/chat.jsonl"):
            rows += _from_chat(data)
        elif name.endswith("/logs.jsonl"):
            rows += _from_logs(data)
        elif "/deployments-" in name:
            rows += _from_deployments(incident, data)
    return tuple(sorted(rows, key=lambda row: row.at))


def _from_incident(incident: Incident) -> Iterator[TimelineRow]:
    for entry in incident.timeline:
        at = entry.happened_at or entry.at
        yield TimelineRow(at=at, source="incident", who=entry.actor, what=cut(entry.text, _LONGEST))


def _from_alerts(incident: Incident) -> Iterator[TimelineRow]:
    for alert in incident.alerting.alerts:
        yield TimelineRow(at=alert.started_at, source="alert", who=alert.source, what=f"Firing: {alert.title}")
        if alert.ended_at is not None:
            yield TimelineRow(at=alert.ended_at, source="alert", who=alert.source, what=f"Resolved: {alert.title}")


def _from_manifests(incident: Incident) -> Iterator[TimelineRow]:
    saves = [entry for entry in incident.timeline if entry.actor == SYSTEM and " file" in entry.text]
    for ref in incident.evidence.manifests:  # in the order in which they were saved, like the entries
        save = next((entry for entry in saves if f"{ref.parts} file" in entry.text), None)
        at = save.at if save else incident.timeline[-1].at
        if save:
            saves.remove(save)
        yield TimelineRow(
            at=at,
            source="evidence",
            who="system",
            what=f"Saved {ref.path} ({ref.parts} files, {ref.gaps} sources missing)",
        )


def _from_chat(data: bytes) -> Iterator[TimelineRow]:
    """Yield messages that people wrote in the channel. Our bot's messages repeat the timeline."""
    for row in _rows(data):
        try:
            if not row["by_person"]:
                continue
            reactions = "".join(f" :{name}: {count}" for name, count in (row.get("reactions") or {}).items())
            answer = bool(row["thread_ts"]) and row["thread_ts"] != row["ts"]
            at = datetime.fromtimestamp(float(row["ts"]), UTC)
            text = one_line(str(row["text"]), _LONGEST)
            who = f"@{row.get('handle') or row['user']}"
        except (KeyError, TypeError, ValueError):
            continue
        yield TimelineRow(at=at, source="chat", who=who, what=f"{text}{reactions}", answer=answer)


def _from_logs(data: bytes) -> Iterator[TimelineRow]:
    """Yield the most frequent error lines, those alike in one row at their first; one row says what is left out."""
    groups = group_lines(_errors(data))
    for group in groups[:_LOG_GROUPS]:
        yield TimelineRow(at=group.first, source="logs", who="service", what=group.said)
    if left := groups[_LOG_GROUPS:]:
        first, count = min(group.first for group in left), sum(group.count for group in left)
        what = f"{len(left)} more kinds of error lines ({count} lines, see logs.jsonl in the evidence)"
        yield TimelineRow(at=first, source="logs", who="service", what=what)


def _errors(data: bytes) -> Iterator[tuple[datetime, str]]:
    for row in _rows(data):
        try:
            fields, at = row["data"], datetime.fromisoformat(row["timestamp"]).astimezone(UTC)
            severity, text = str(fields.get("severity_text") or ""), str(fields["body"])
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        if severity.upper() in _ERRORS:
            yield at, text


def _from_deployments(incident: Incident, data: bytes) -> Iterator[TimelineRow]:
    try:
        rows = [Deployment.model_validate(row) for row in json.loads(data)]
    except ValueError:
        return
    since = min((row.started_at for row in rows if _suspect(incident, row)), default=incident.started_at)
    until = incident.resolved_at or incident.timeline[-1].at
    for row in rows:
        if since <= row.started_at <= until:
            what = f"{row.version} deployed to {row.cluster} ({row.status})"
            back = f", replacing {row.rollback_from}" if row.rollback_from else ""
            yield TimelineRow(at=row.started_at, source="deployments", who="deployer", what=f"{what}{back}")


def _suspect(incident: Incident, row: Deployment) -> bool:
    return any(
        state.offer.suspect is not None and state.offer.suspect.id == row.id for state in incident.rollback.clusters
    )


def series(files: dict[str, bytes], metrics: Iterable[str]) -> tuple[Series, ...]:
    """Return the saved metrics by their names in runbook.yaml."""
    found: list[Series] = []
    for name in metrics:
        data = next((data for path, data in files.items() if path.endswith(f"/{metric_file(name)}")), b"")
        try:
            for row in json.loads(data or b'{"series": []}')["series"]:
                points = tuple((datetime.fromisoformat(at), float(value)) for at, value in row["points"])
                kept = tuple((at, value) for at, value in points if value == value)  # NaN: no samples
                found.append(Series(name=name, region=str(row["labels"].get("region", "")), points=kept))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
