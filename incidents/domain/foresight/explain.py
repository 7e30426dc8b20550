"""What a runbook promises for one severity, in sentences."""

from collections.abc import Iterator, Sequence

from incidents.domain.config.communication import Channel, Rung, Unless
from incidents.domain.config.model import RunbookConfig, Service, SeverityPolicy
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.rollback.config import RollbackPolicy

_ROLLBACKS = {
    RollbackPolicy.AUTOMATIC: "A suspect deployment is rolled back automatically.",
    RollbackPolicy.APPROVE: "A rollback of a suspect deployment is offered; a responder approves it.",
    RollbackPolicy.TWO_PEOPLE: "A rollback of a suspect deployment is offered; two people approve it.",
    RollbackPolicy.NEVER: "Nothing is rolled back.",
}
_STOPS = {
    Unless.ACKNOWLEDGED: "unless it is acknowledged",
    Unless.MITIGATED: "unless it is mitigated",
    Unless.RESOLVED: "unless it is resolved",
}


class Explained(Frozen):
    """One topic, in whole sentences."""

    topic: str
    text: str


def explain(severity: Severity, runbook: RunbookConfig, service: str = "") -> list[Explained]:
    """Return what the runbook does for an incident of that severity; `service`: "" for one without rules of its own."""
    policy, of = runbook.policy(severity), runbook.service(service)
    topics = {
        "Is": [policy.definition.strip()],
        "Pages": _pages(policy, of, runbook),
        "Escalates": _escalates(of.escalation.get(severity, policy.escalation), policy, runbook),
        "Updates": _updates(policy, runbook),
        "Responders": _responders(policy),
        "Rollback": [_ROLLBACKS[policy.rollback]],
        "Ends": _ends(policy),
        "Post-mortem": _postmortem(policy, runbook),
    }
    return [Explained(topic=topic, text=" ".join(sentences)) for topic, sentences in topics.items()]


def _pages(policy: SeverityPolicy, service: Service, runbook: RunbookConfig) -> Iterator[str]:
    who = runbook.contacts[service.on_call or runbook.people.on_call].name
    if not policy.page:
        yield f"Nobody is paged. It is to be acknowledged within {policy.acknowledge_within.words}."
        return
    yield f"{who} is paged at once, and has {policy.acknowledge_within.words} to acknowledge."
    if policy.silent_after is not None:
        yield f"After {in_words(policy.silent_after)} without activity since the acknowledgement, {who} is paged again."


def _escalates(rungs: Sequence[Rung], policy: SeverityPolicy, runbook: RunbookConfig) -> Iterator[str]:
    if not rungs:
        yield "To nobody."
    for rung in rungs:
        ways = " and ".join(way.value for way in rung.by)
        yield f"{runbook.contacts[rung.contact].name} by {ways} {_when(rung, policy)}, {_STOPS[rung.unless]}."


def _when(rung: Rung, policy: SeverityPolicy) -> str:
    if rung.after is None:
        return f"when the acknowledgement is overdue ({policy.acknowledge_within.words})"
    return f"after {in_words(rung.after)}" if rung.after else "at once"


def _updates(policy: SeverityPolicy, runbook: RunbookConfig) -> Iterator[str]:
    cadence = policy.updates
    where = ", ".join(channel.value.replace("_", " ") for channel in cadence.channels) or "no channel"
    if cadence.every is None:
        yield f"One update, on resolution, on {where}."
        return
    yield f"Every {in_words(cadence.every)} on {where}."
    if cadence.every_while_monitoring is not None:
        yield f"Every {in_words(cadence.every_while_monitoring)} once it is mitigated."
    if cadence.office_hours_only:
        yield "Only in office hours."
    if cadence.remind_before:
        yield f"The draft is posted for review {in_words(cadence.remind_before)} before."
    yield f"A responder may hold one back for up to {in_words(cadence.hold_at_most)}."
    staff = [runbook.contacts[name].name for name in runbook.people.stakeholders]
    if staff and Channel.EMAIL in cadence.channels:
        yield f"Its mails go to {', '.join(staff)}, too."


def _responders(policy: SeverityPolicy) -> Iterator[str]:
    yield "A channel is opened, and the responders are invited."
    if policy.war_room_within is not None:
        yield f"A war room is open within {policy.war_room_within.words}."
    if policy.investigate_within is not None:
        yield f"The investigation begins within {policy.investigate_within.words}."
    if policy.fix_within is not None:
        yield f"A fix is deployed within {policy.fix_within.words}."
    if policy.commander_within is not None:
        yield f"The channel is reminded after {in_words(policy.commander_within)} without an incident commander."


def _ends(policy: SeverityPolicy) -> Iterator[str]:
    if policy.confirm_resolution:
        yield f"A responder resolves it; after {in_words(policy.stability_window)} without alerts that is suggested."
    else:
        yield f"It resolves by itself after {in_words(policy.stability_window)} without alerts."
    if policy.auto_resolve_after is not None:
        yield f"It is also resolved after {in_words(policy.auto_resolve_after)} without any activity."
    if policy.complete_checklist:
        yield "Every step of the checklist has to be done or skipped before."
    yield f"An alert within {in_words(policy.reopen_window)} of the resolution reopens it; then it closes."
    if policy.downtime:
        yield "Its minutes count against the SLA until it is mitigated."


def _postmortem(policy: SeverityPolicy, runbook: RunbookConfig) -> Iterator[str]:
    rules = runbook.postmortem
    if not policy.postmortem:
        yield "None, unless a responder starts one."
        return
    yield f"Due within {rules.within.words} of the resolution."
    manager, executive = runbook.contacts[rules.manager].name, runbook.contacts[rules.executive].name
    yield f"The incident commander owns it, or else {manager}, who is also notified while it is overdue."
    yield f"{executive} is notified when it is overdue for {in_words(rules.executive_after)}."
