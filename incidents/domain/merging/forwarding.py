"""Send merge messages, and forward what reaches a merged incident to the one that it was merged into."""

from datetime import datetime

from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.state import AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.merging.state import MergeMessage, MergeMessageKind


def send(incident: Incident, message: MergeMessage, target: str) -> Incident:
    """Return the incident with one more merge message to send to the workflow `target`."""
    addressed = message.replace(target=target, sender=incident.first_run_id)
    return incident.replace(merging=incident.merging.sending(addressed))


def forward(incident: Incident, message: MergeMessage) -> Incident:
    """Send a message that reached a merged incident on to the one that it was merged into."""
    into = incident.merging.into
    if into is None or incident.number is None:
        return incident
    return send(incident, message.replace(via=(*message.via, incident.number)), into.workflow_id)


def forward_alerts(
    incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime, origin: str = ""
) -> Incident:
    """Send alerts that reach a merged incident to the one that it was merged into.

    `origin`: workflow id of the incident that they were sent to first; "": this one.
    """
    into = incident.merging.into
    if into is None or not alerts:
        return incident
    message = MergeMessage(
        kind=MergeMessageKind.FIRED if alerts[0].firing else MergeMessageKind.ENDED,
        workflow_id=origin or incident.workflow_id,
        alerts=tuple(shared_alert(alert, incident, runbook) for alert in alerts),
    )
    incident = send(incident, message, into.workflow_id)
    verb = "fires" if alerts[0].firing else "ended"
    return incident.logged(at, alerts[0].source, Kind.ALERT, f"Sent to INC-{into.number}: {alerts[0].title} {verb}")


def shared_alert(alert: Alert, incident: Incident, runbook: RunbookConfig) -> Alert:
    """Return an alert as another incident may know it: of a private incident, only its severity and its times."""
    if not incident.private:
        return alert
    label = runbook.intake.severity_label
    return alert.replace(
        name=_hidden_title(incident),
        summary="",
        description="",
        link="",
        labels={label: alert.labels[label]} if label in alert.labels else {},
        exact_labels=False,
    )


def shared_state(state: AlertState, incident: Incident) -> AlertState:
    """Return an alert's state as another incident may know it. Otherwise as `shared_alert`."""
    if not incident.private:
        return state
    title = _hidden_title(incident)
    return state.replace(name=title, title=title, link="", labels={})


def _hidden_title(incident: Incident) -> str:
    return f"alert of INC-{incident.number} (private)"
