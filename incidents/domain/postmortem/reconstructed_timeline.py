"""The minute-by-minute timeline: what the program did, what people wrote, what was deployed, in one order, in UTC."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.evidence.manifest import metric_file
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.impact import Series
from incidents.domain.rollback.known_good import Deployment

_LONGEST = 300
"""Characters of one line: the transcript itself is with the evidence."""


class TimelineRow(Frozen):
    """One line: when, from which source, who, and what. `answer`: it was said in a thread."""

    at: AwareDatetime
    source: str
    who: str
    what: str
    answer: bool = False


def reconstruct_timeline(incident: Incident, files: dict[str, bytes]) -> tuple[TimelineRow, ...]:
    """Return everything that is known, in order. `files`: the evidence of the resolution, name to content.

    What cannot be read is left out: a file that a person has edited must not keep the draft from being written.
    """
    moments = [*_own(incident), *_alerts(incident), *_kept(incident)]
    for name, data in files.items():
        if name.endswith("slack.jsonl"):
            moments += _said(data)
        elif "/deployments-" in name:
            moments += _deployed(incident, data)
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _own(incident: Incident) -> Iterator[TimelineRow]:
    for entry in incident.timeline:
        at = entry.happened_at or entry.at
        yield TimelineRow(at=at, source="runbook", who=entry.actor, what=entry.text[:_LONGEST])


def _alerts(incident: Incident) -> Iterator[TimelineRow]:
    for alert in incident.alerts:
        yield TimelineRow(at=alert.started_at, source="alert", who="alertmanager", what=f"{alert.title} fires")
        if alert.ended_at is not None:
            yield TimelineRow(at=alert.ended_at, source="alert", who="alertmanager", what=f"{alert.title} has ended")


def _kept(incident: Incident) -> Iterator[TimelineRow]:
    for ref in incident.manifests:
        at = next((entry.at for entry in incident.timeline if ref.sha256 in entry.text), incident.timeline[-1].at)
        yield TimelineRow(
            at=at, source="evidence", who="runbook", what=f"{ref.path}: {ref.parts} files, {ref.gaps} gaps"
        )


def _said(data: bytes) -> Iterator[TimelineRow]:
    """Yield what people wrote in the channel. What our own bot wrote is the timeline, said again."""
    for row in _rows(data):
        try:
            if not row["by_person"]:
                continue
            reactions = "".join(f" :{name}: {count}" for name, count in (row.get("reactions") or {}).items())
            answer = bool(row["thread_ts"]) and row["thread_ts"] != row["ts"]
            at = datetime.fromtimestamp(float(row["ts"]), UTC)
            text = " ".join(str(row["text"]).split())[:_LONGEST]
            who = f"@{row.get('handle') or row['user']}"
        except (KeyError, TypeError, ValueError):
            continue
        yield TimelineRow(at=at, source="slack", who=who, what=f"{text}{reactions}", answer=answer)


def _deployed(incident: Incident, data: bytes) -> Iterator[TimelineRow]:
    try:
        rows = [Deployment.model_validate(row) for row in json.loads(data)]
    except ValueError:
        return
    since = min((row.started_at for row in rows if _suspect(incident, row)), default=incident.started_at)
    until = incident.resolved_at or incident.timeline[-1].at
    for row in rows:
        if since <= row.started_at <= until:
            what = f"{row.version} deployed to {row.cluster}: {row.status}"
            back = f", in place of {row.rollback_from}" if row.rollback_from else ""
            yield TimelineRow(at=row.started_at, source="deployments", who="deployer", what=f"{what}{back}")


def _suspect(incident: Incident, row: Deployment) -> bool:
    return any(state.offer.suspect is not None and state.offer.suspect.id == row.id for state in incident.rollbacks)


def series(files: dict[str, bytes], metrics: Iterable[str]) -> tuple[Series, ...]:
    """Return the preserved metrics by the names that runbook.yaml gives them."""
    found: list[Series] = []
    for name in metrics:
        data = next((data for path, data in files.items() if path.endswith(f"/{metric_file(name)}")), b"")
        try:
            for row in json.loads(data or b'{"series": []}')["series"]:
                points = tuple((datetime.fromisoformat(at), float(value)) for at, value in row["points"])
                kept = tuple((at, value) for at, value in points if value == value)  # NaN: nothing was asked
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
