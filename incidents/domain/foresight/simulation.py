"""Run an incident forward in virtual time: from due to due, and from one fact of the scenario to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from incidents.domain import apply_event
from incidents.domain.adoption.adoption import AdoptRunbook, adopt
from incidents.domain.alerting.alert import Alert
from incidents.domain.apply_command import apply_command
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.status import Status
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.rehearsal.outside import Deployed, Inject, Outage
from incidents.domain.foresight.scenario import FilledScenario
from incidents.domain.foresight.settling import Done, settle
from incidents.domain.foresight.tracks import IncidentTrack, PostmortemTrack
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, opening_from
from incidents.domain.obligation_spec import WorkflowStep
from incidents.domain.postmortem.postmortem import cancel, open_postmortem, restart_deadline, withdraw


@dataclass(frozen=True)
class Happened:
    """A fact of the scenario. `why_not`: why it changes nothing; "" if it does. `rejected`: the runbook rejects it."""

    at: datetime
    key: str
    summary: str
    why_not: str = ""
    rejected: bool = False


def simulate(
    scenario: FilledScenario, runbook: RunbookConfig, start: datetime
) -> Iterator[tuple[Done | Happened, Incident]]:
    """Yield everything that happens, in order, each with the incident as it then is."""
    run, end = _Run(scenario, runbook, start), start + scenario.until
    facts = [*scenario.facts]
    now: datetime | None = start
    while now is not None and now <= end:
        while facts and start + facts[0].at <= now:
            yield run.take_in(facts.pop(0), now), run.incident
        yield from run.settle(now)
        later = [start + facts[0].at] if facts else []
        now = min([*later, *run.due_after(now)], default=None)


class _Run:
    """One incident with its post-mortem."""

    def __init__(self, scenario: FilledScenario, runbook: RunbookConfig, start: datetime) -> None:
        self._runbook, self._alert = runbook, alert_of(scenario, runbook, start)
        opening = opening_from((self._alert,), f"{scenario.service}:{scenario.environment}", runbook)
        opening = opening.replace(severity=scenario.severity, needs_triage=False)
        incident = open_incident(opening, runbook, start, workflow_id="incident-plan", first_run_id="plan")
        self._track = IncidentTrack(apply_event.alert_fired(incident, (self._alert,), runbook, start), runbook)
        self._postmortem: PostmortemTrack | None = None
        self._facts = 0

    @property
    def incident(self) -> Incident:
        return self._track.incident

    def take_in(self, fact: Fact, at: datetime) -> Happened:
        """Apply a fact of the scenario. One that the runbook rejects changes nothing, and says why."""
        key = self._key(fact)
        try:
            self._track.incident = self._after(fact, at)
        except CommandRejected as error:
            return Happened(at, key, fact.summary, f"Rejected: {error}", rejected=True)
        except AlreadyDone as error:
            return Happened(at, key, fact.summary, f"Nothing changed: {error}")
        return Happened(at, key, fact.summary)

    def _key(self, fact: Fact) -> str:
        """Return the key of a fact. A move to another runbook is not counted: it happens under one of two runbooks."""
        if isinstance(fact.what, AdoptRunbook):
            return f"fact/{AdoptRunbook.name}/{fact.at.total_seconds():.0f}"
        self._facts += 1
        return f"fact/{self._facts}"

    def _after(self, fact: Fact, at: datetime) -> Incident:
        match fact.what:
            case AdoptRunbook():
                return self._moved(fact.what, at)
            case Command():
                return apply_command(self.incident, fact.what, self._runbook, at)
            case AlertFact.ENDED:
                ended = self._alert.replace(ended_at=at)
                return apply_event.alert_resolved(self.incident, (ended,), self._runbook, at)
            case AlertFact.FIRED:
                fires = self._alert.replace(started_at=at)
                return apply_event.alert_fired(self.incident, (fires,), self._runbook, at)
            case Outage() | Deployed() | Inject():
                return self.incident  # a plan takes every vendor to answer, and no deployment to be suspect
            case _:
                assert_never(fact.what)

    def _moved(self, command: AdoptRunbook, at: datetime) -> Incident:
        """Move the incident to another runbook; a post-mortem that has started keeps its own."""
        moved = adopt(self.incident, command, self._runbook, at)
        self._runbook = command.runbook
        self._track.follow(command.runbook)
        return moved

    def settle(self, now: datetime) -> Iterator[tuple[Done, Incident]]:
        """Do all that is due, in the incident and then in its post-mortem."""
        for done in settle(self._track, self._runbook, now):
            yield done, self.incident
            self._hand_over(done, now)
        self._track.archive()
        if self._postmortem is not None:
            for done in settle(self._postmortem, self._runbook, now):
                yield done, self.incident

    def _hand_over(self, done: Done, now: datetime) -> None:
        """Start the post-mortem, or tell it what became of its incident, as `workflows/children.py` does."""
        if done.step is WorkflowStep.START_POSTMORTEM:
            if self._postmortem is None:
                self._postmortem = PostmortemTrack(open_postmortem(self.incident, self._runbook, now), self._runbook)
            else:
                again = restart_deadline(self._postmortem.postmortem, self.incident, self._runbook, now)
                self._postmortem.postmortem = again
        elif done.step is WorkflowStep.WITHDRAW_POSTMORTEM and self._postmortem is not None:
            change = cancel if self.incident.status == Status.CANCELLED else withdraw
            self._postmortem.postmortem = change(self._postmortem.postmortem, now)

    def due_after(self, now: datetime) -> Iterator[datetime]:
        """Yield when the next obligation is due, of the incident and of the post-mortem."""
        for track in (self._track, self._postmortem):
            if track is not None:
                yield from [obligation.due for obligation in track.owed if obligation.due > now][:1]


def alert_of(scenario: FilledScenario, runbook: RunbookConfig, start: datetime) -> Alert:
    """Return the alert that a scenario begins with."""
    intake = runbook.intake
    labels = {"alertname": "Planned", "service": scenario.service, "environment": scenario.environment}
    labels |= {"region": scenario.region} if scenario.region else {}
    labels |= {intake.severity_label: _label_of(scenario, runbook)}
    sources = tuple(intake.sources)
    return Alert(
        name="Planned",
        labels=labels,
        summary=scenario.title,
        started_at=start,
        fingerprint="planned",
        source=sources[0] if sources else "monitoring",
    )


def _label_of(scenario: FilledScenario, runbook: RunbookConfig) -> str:
    """Return what an alert of that severity has as its label: a word for it, or else its name."""
    words = (word for word, severity in runbook.intake.severities.items() if severity == scenario.severity)
    return next(words, scenario.severity)
