"""A recorded incident under another runbook: the same facts, and what cannot be known."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain.adoption.adoption import AdoptRunbook
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.core.timeline import Kind
from incidents.domain.foresight.difference import difference
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.plan import Plan, plan
from incidents.domain.foresight.recorded import Adopted, Followed, recorded
from incidents.domain.foresight.scenario import Scenario
from incidents.domain.foresight.simulation import simulate
from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    Cancel,
    DeclareSeverity,
    Monitor,
    PostUpdate,
    Reopen,
    Resolve,
)
from incidents.domain.incident.incident import Incident
from tests.support.incidents import RUNBOOK, T0, TEXT, opened
from tests.support.thoroughness import by_thoroughness

STORY: tuple[tuple[int, Command | AlertFact], ...] = (
    (4, Acknowledge(by="ann")),
    (9, Assess(by="ann", impact="Half of all requests fail.", customers=("ACME",))),
    (20, DeclareSeverity(by="bob", severity="P1")),
    (25, PostUpdate(by="bob", text="We found the cause.")),
    (30, AddNote(by="ann", text="Restarted it.")),
    (40, Monitor(by="ann")),
    (70, Resolve(by="ann", force=True, reason="fixed")),
    (90, Reopen(by="bob", reason="errors are back")),
    (120, Resolve(by="bob", force=True, reason="fixed")),
)


def lived(*facts: tuple[int, Command | AlertFact], until: float = 3) -> tuple[Incident, Plan]:
    """An incident in which that happened, and its plan."""
    told = tuple(Fact(at=timedelta(minutes=minute), what=what) for minute, what in facts)
    scenario = Scenario(until=timedelta(hours=until), facts=told)
    *_, (_, incident) = simulate(scenario.filled(RUNBOOK), RUNBOOK, T0)
    return incident, plan(scenario, RUNBOOK, T0)


def sent(found: Plan) -> list[tuple[timedelta, str]]:
    early = (step for step in found.steps if step.after <= timedelta(hours=3))
    return [(step.after, step.key) for step in early if step.kind != "fact" and not step.housekeeping]


def test_what_was_recorded_is_told_in_order() -> None:
    incident, _ = lived(*STORY)
    facts = [(fact.at // timedelta(minutes=1), fact.what) for fact in recorded(incident).scenario.facts]
    assert [(minute, type(what)) for minute, what in facts] == [(minute, type(what)) for minute, what in STORY]
    assert {what.by for _, what in facts if isinstance(what, Command)} == {"ann", "bob"}


def test_under_its_own_runbook_it_goes_as_it_went() -> None:
    incident, went = lived(*STORY)
    found = recorded(incident)
    assert sent(plan(found.scenario, RUNBOOK, found.start)) == sent(went)


def test_under_another_runbook_it_says_by_how_much() -> None:
    incident, _ = lived((50, Acknowledge(by="ann")), (60, Resolve(by="ann", force=True, reason="fixed")))
    found = recorded(incident)
    later = parse_runbook(TEXT.replace("{contact: ceo, after: 30m", "{contact: ceo, after: 45m"))
    never = parse_runbook(TEXT.replace("{contact: ceo, after: 30m", "{contact: ceo, after: 2h"))

    def changes(other: RunbookConfig) -> list[tuple[str, str, timedelta | None]]:
        plans = (plan(found.scenario, each, found.start) for each in (RUNBOOK, other))
        return [(c.kind, c.obligation, c.by) for c in difference(*plans) if "Escalate to CEO by page" in c.obligation]

    assert changes(later) == [("moved", "Escalate to CEO by page", timedelta(minutes=15))]
    assert changes(never) == [("gone", "Escalate to CEO by page", None)], "it was resolved before"


def test_a_false_alarm_and_the_end_of_the_alert_are_facts() -> None:
    incident, _ = lived((10, AlertFact.ENDED), (15, Cancel(by="ann", reason="broken probe")))
    facts = [fact.what for fact in recorded(incident).scenario.facts]
    assert AlertFact.ENDED in facts
    assert any(isinstance(what, Cancel) and what.by == "ann" for what in facts)


def test_what_cannot_be_known_is_said() -> None:
    incident, _ = lived(*STORY)
    first, *others = recorded(incident).unknown
    assert first.startswith("What people would have done differently is not known")
    assert any("wrote in the channel is not recorded" in line for line in others)
    private = recorded(opened().replace(private=True)).unknown
    assert any("It is private" in line for line in private)


def test_what_is_too_long_ago_is_said() -> None:
    incident = opened().logged(T0 + timedelta(days=40), "ann", Kind.NOTE, "Still there.")
    assert "Only its first 31 days are compared." in recorded(incident).unknown
    assert "Only its first 31 days are compared." not in recorded(opened()).unknown


MINUTE = st.integers(1, 200)
WHAT = st.sampled_from([what for _, what in STORY])


@settings(max_examples=by_thoroughness(20, 100), deadline=None)
@given(st.lists(st.tuples(MINUTE, WHAT), max_size=6))
def test_the_record_of_any_incident_can_be_run(facts: list[tuple[int, Command | AlertFact]]) -> None:
    incident, _ = lived(*sorted(facts, key=lambda fact: fact[0]), until=4)
    found = recorded(incident)
    assert plan(found.scenario.replace(until=timedelta(hours=4)), RUNBOOK, found.start).steps


def later(minutes: int) -> RunbookConfig:
    return parse_runbook(TEXT.replace("{contact: ceo, after: 30m", f"{{contact: ceo, after: {minutes}m"))


def adopted(*moves: tuple[int, RunbookConfig], complete: bool = True) -> Followed:
    commands = ((minute, AdoptRunbook(by="ann", runbook=runbook)) for minute, runbook in moves)
    moved = tuple(Adopted(at=T0 + timedelta(minutes=minute), command=command) for minute, command in commands)
    return Followed(first=RUNBOOK, adopted=moved, complete=complete)


def test_a_moved_incident_goes_by_each_of_its_runbooks_from_its_time_on() -> None:
    incident, _ = lived(until=1)
    found = recorded(incident)

    def ceo(followed: Followed) -> list[timedelta]:
        own = found.under_its_own(followed).replace(until=timedelta(hours=2))
        steps = plan(own, followed.first, found.start).steps
        return [step.after for step in steps if step.obligation == "Escalate to CEO by page"]

    assert ceo(adopted()) == [timedelta(minutes=30)]
    assert ceo(adopted((10, later(45)))) == [timedelta(minutes=45)]
    assert ceo(adopted((10, later(45)), (20, later(35)))) == [timedelta(minutes=35)]
    assert ceo(adopted((40, later(45)))) == [timedelta(minutes=30)], "what is done stays done"


def test_a_move_does_not_make_other_facts_differ() -> None:
    incident, _ = lived((20, Acknowledge(by="ann")), until=1)
    found, followed = recorded(incident), adopted((10, RUNBOOK.replace(product="Acme")))
    old = plan(found.under_its_own(followed), followed.first, found.start)
    new = plan(found.scenario, RUNBOOK, found.start)
    facts = [change for change in difference(old, new) if change.obligation.startswith("ann: ")]
    assert [(change.kind, change.obligation) for change in facts] == [("gone", "ann: adopt runbook")]


def test_a_first_runbook_that_is_not_retained_is_said() -> None:
    found = recorded(lived(until=1)[0])
    assert found.all_unknown(adopted()) == found.unknown
    assert "does not retain its first runbook" in found.all_unknown(adopted(complete=False))[-1]
