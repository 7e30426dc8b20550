"""The events of an incident as Temporal signals: what monitoring, other incidents and child workflows report."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from incidents.contracts import (
    ALERT_FIRED,
    ALERT_RESOLVED,
    COMMAND_REFUSED,
    MAIL_BOUNCED,
    MERGE_MESSAGE,
    POSTMORTEM_PUBLISHED,
    POSTMORTEM_WAIVED,
    ROLLBACK_ENDED,
    ROLLBACK_MOVED,
    SURGE_MESSAGE,
    WINDOWS_CHANGED,
    AlertBatch,
    MailBounced,
    Published,
    Unauthorized,
    Waived,
    WindowsChanged,
)
from incidents.domain import apply_event as facts
from incidents.domain.alerting import maintenance
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.incident.incident import Incident
from incidents.domain.merging.messages import apply_merge_message
from incidents.domain.merging.state import MergeMessage
from incidents.domain.rollback.events import record_rollback_progress, record_rollback_result
from incidents.domain.rollback.order import RollbackProgress, RollbackResult
from incidents.domain.surge.membership import apply_surge_message
from incidents.domain.surge.state import SurgeMessage
from workflows.obligation_loop import raise_if_of_the_sdk

T = TypeVar("T")
_WAIVED = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{}"))
"""What a waiver without a payload says."""


class IncidentEvents(ABC):
    """The handlers of the events of `IncidentWorkflow`."""

    @property
    @abstractmethod
    def runbook(self) -> RunbookConfig:
        """The incident's runbook."""

    @abstractmethod
    def change(self, by: Callable[[Incident], Incident]) -> None:
        """Replace the incident by what `by` makes of it."""

    @abstractmethod
    def reject_signal(self, name: str, by: str, reason: str) -> None:
        """Record a rejected signal."""

    @workflow.signal(name=ALERT_FIRED, description="Alerts of this incident are firing.")
    def alert_fired(self, batch: RawValue) -> None:
        """Take in alerts that fire: an `AlertBatch`."""
        self._apply_event(
            ALERT_FIRED,
            batch,
            AlertBatch,
            lambda incident, event: facts.alert_fired(incident, event.alerts, self.runbook, workflow.now()),
        )

    @workflow.signal(name=ALERT_RESOLVED, description="Alerts of this incident have ended.")
    def alert_resolved(self, batch: RawValue) -> None:
        """Take in the end of alerts: an `AlertBatch`."""
        self._apply_event(
            ALERT_RESOLVED,
            batch,
            AlertBatch,
            lambda incident, event: facts.alert_resolved(incident, event.alerts, self.runbook, workflow.now()),
        )

    @workflow.signal(name=WINDOWS_CHANGED, description="Responders have started or ended a maintenance window.")
    def windows_changed(self, changed: RawValue) -> None:
        """Take in which windows run: a `WindowsChanged`."""
        self._apply_event(
            WINDOWS_CHANGED,
            changed,
            WindowsChanged,
            lambda incident, event: maintenance.windows_changed(incident, event.windows, self.runbook, workflow.now()),
        )

    @workflow.signal(name=MAIL_BOUNCED, description="Mails of this incident did not arrive.")
    def mail_bounced(self, bounced: RawValue) -> None:
        """Take in mails that did not arrive: a `MailBounced`."""
        self._apply_event(
            MAIL_BOUNCED,
            bounced,
            MailBounced,
            lambda incident, event: facts.apply_bounces(incident, event.bounces, self.runbook, workflow.now()),
        )

    @workflow.signal(name=MERGE_MESSAGE, description="Merged incidents exchange their state.")
    def apply_merge_message(self, message: RawValue) -> None:
        """Apply a `MergeMessage`."""
        self._apply_event(
            MERGE_MESSAGE,
            message,
            MergeMessage,
            lambda incident, event: apply_merge_message(incident, event, self.runbook, workflow.now()),
        )

    @workflow.signal(name=SURGE_MESSAGE, description="The incidents of a surge agree on who informs the customers.")
    def apply_surge_message(self, message: RawValue) -> None:
        """Apply a `SurgeMessage`."""
        self._apply_event(
            SURGE_MESSAGE,
            message,
            SurgeMessage,
            lambda incident, event: apply_surge_message(incident, event, self.runbook, workflow.now()),
        )

    @workflow.signal(name=ROLLBACK_MOVED, description="A running rollback reports a step.")
    def rollback_moved(self, progress: RawValue) -> None:
        """Record a step of a rollback: a `RollbackProgress`."""
        self._apply_event(
            ROLLBACK_MOVED,
            progress,
            RollbackProgress,
            lambda incident, event: record_rollback_progress(incident, event, workflow.now()),
        )

    @workflow.signal(name=ROLLBACK_ENDED, description="A rollback has ended.")
    def rollback_ended(self, result: RawValue) -> None:
        """Record the end of a rollback: a `RollbackResult`."""
        self._apply_event(
            ROLLBACK_ENDED,
            result,
            RollbackResult,
            lambda incident, event: record_rollback_result(incident, event, self.runbook, workflow.now()),
        )

    @workflow.signal(name=COMMAND_REFUSED, description="A command was refused: its sender is not authorized.")
    def command_refused(self, refused: RawValue) -> None:
        """Record it: an `Unauthorized`."""
        self._apply_event(
            COMMAND_REFUSED,
            refused,
            Unauthorized,
            lambda incident, event: facts.unauthorized(incident, event.command, event.by, event.reason, workflow.now()),
        )

    @workflow.signal(name=POSTMORTEM_PUBLISHED, description="The post-mortem is published.")
    def postmortem_published(self, published: RawValue) -> None:
        """Record that the incident cannot be reopened any more: a `Published`."""
        self._apply_event(
            POSTMORTEM_PUBLISHED,
            published,
            Published,
            lambda incident, event: facts.postmortem_published(incident, workflow.now(), event.url, event.first_run_id),
        )

    @workflow.signal(name=POSTMORTEM_WAIVED, description="The post-mortem is waived.")
    def postmortem_waived(self, waived: RawValue = _WAIVED) -> None:
        """Record that the post-mortem no longer needs the channel: a `Waived`. Early histories have no payload."""
        self._apply_event(
            POSTMORTEM_WAIVED,
            waived,
            Waived,
            lambda incident, event: facts.postmortem_waived(incident, workflow.now(), event.first_run_id),
        )

    def _apply_event(self, name: str, raw: RawValue, kind: type[T], apply: Callable[[Incident, T], Incident]) -> None:
        """Apply an event. One that cannot be read or applied is rejected in the timeline. Never raises."""
        try:
            event = workflow.payload_converter().from_payload(raw.payload, kind)
            self.change(lambda incident: apply(incident, event))
        except Exception as error:
            raise_if_of_the_sdk(error)
            self.reject_signal(name, "unknown", f"it cannot be applied: {in_one_line(error)}")
