"""The obligation to keep the record that reports are made from."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ResourcesChanged
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.postponing import Postpones
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    ObligationSpec,
    Owed,
    Phase,
)
from incidents.domain.reporting.record import record_of


def record_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the record for the reports, again when one of its figures changes."""
    if incident.number is not None and (incident.over or incident.corrections):
        status = "merged" if incident.merging.into is not None else incident.status
        key = Key("record", incident.times_resolved, status, len(incident.corrections), incident.updates.count)
        since = incident.timeline[-1].at
        yield at_once(ObligationKind.RECORD, key, since, "Save the record for reports")


def postponed_record(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the record of a closed incident that the evidence store could not take before."""
    yield from (o for o in record_owed(incident, runbook) if incident.ledger.postponement(o.key) is not None)


def build_record(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Write the record beside the incident's evidence."""
    text = record_of(incident, runbook).model_dump_json(indent=1)
    return activity_requests.KeepDocument(
        key=obligation.key, folder=evidence_folder(incident), name="record.json", text=text
    )


RECORD = ObligationSpec(
    ObligationKind.RECORD,
    (
        Owed(record_owed, frozenset({Phase.BACKFILLED, Phase.LIVE, Phase.OVER}), survives=False),
        Owed(postponed_record, frozenset({Phase.CLOSED}), survives=False),
    ),
    build_request=build_record,
    shares_resources=False,
    silent=True,
    postpones=Postpones.UNSAVED,
    housekeeping=True,
)
