"""Events: what the incident learns from the monitoring and from outside. A fact is never refused."""

from datetime import datetime

from incidents.domain.alerting.ending import alert_resolved as alert_resolved
from incidents.domain.alerting.ending import alerts_ended as alerts_ended
from incidents.domain.alerting.ending import quiet_period_over as quiet_period_over
from incidents.domain.alerting.firing import alert_fired as alert_fired
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.bounces import apply_bounces as apply_bounces


def refused(incident: Incident, command: str, by: str, why: str, at: datetime) -> Incident:
    """Record a command that came as a signal and was refused: its sender got no answer, so the timeline says it."""
    return incident.logged(at, by, Kind.REFUSED, f"{command} rejected: {why}", announce=True)


def unauthorized(incident: Incident, command: str, by: str, why: str, at: datetime) -> Incident:
    """Record a command that was not sent, because its sender is not authorized (behavior 110).

    The sender was told, so the channel is not. The same again, with nothing in between, is recorded once.
    """
    text, last = f"{command} refused: {why}", incident.timeline[-1] if incident.timeline else None
    if last is not None and (last.kind, last.actor, last.text) == (Kind.REFUSED, by, text):
        return incident
    return incident.logged(at, by, Kind.REFUSED, text)


def postmortem_waived(incident: Incident, at: datetime, first_run_id: str = "") -> Incident:
    """Record that the post-mortem is waived: nobody is reminded in the channel any more (behaviour 96).

    `first_run_id`: of the incident that it is about, "" for this one. Another incident's changes nothing.
    """
    if first_run_id not in ("", incident.first_run_id):
        return incident
    return incident.replace(postmortem=incident.postmortem.replace(waived=True)).logged(
        at, SYSTEM, Kind.POSTMORTEM, "Post-mortem waived"
    )


def postmortem_published(incident: Incident, at: datetime, url: str, first_run_id: str = "") -> Incident:
    """Record that the post-mortem is published: the incident cannot be reopened any more (behaviour 64).

    `first_run_id`: as of `postmortem_waived`.
    """
    if first_run_id not in ("", incident.first_run_id):
        return incident
    return incident.replace(postmortem=incident.postmortem.replace(published=True)).logged(
        at, SYSTEM, Kind.POSTMORTEM, f"Post-mortem published: {url}", announce=True
    )
