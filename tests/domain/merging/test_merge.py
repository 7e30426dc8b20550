"""A merge: alerts, severity and start go to the other incident, later alerts follow, and it can be undone."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from incidents.domain import apply_event as events
from incidents.domain import apply_result as results
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import headline
from incidents.domain.incident.incident import Incident
from incidents.domain.merging.messages import apply_merge_message
from incidents.domain.merging.state import MergeMessage, MergeMessageKind
from incidents.domain.obligation import ObligationKind
from incidents.domain.postmortem.incident_obligations import postmortem_owed
from tests.support.incidents import RUNBOOK, T0, at, firing, fulfil, keys, obligation, opened, settled

MERGE = c.Merge(by="bob", into=42, workflow_id="incident-42", reason="same cause")


def one(severity: Severity = "P1", number: int = 43, workflow_id: str = "incident-43", start: float = 0) -> Incident:
    """An incident with one alert, named after its number."""
    ids = {"workflow_id": workflow_id, "number": number, "first_run_id": f"run-{number}"}
    incident = opened(severity, at(start)).replace(**ids)
    alert = firing(f"A{number}", at(start))
    return settled(events.alert_fired(incident, (alert,), RUNBOOK, at(start)), at(start)).replace(number=number)


def target(severity: Severity = "P2") -> Incident:
    return one(severity, 42, "incident-42", start=2)


def merged(severity: Severity = "P1") -> Incident:
    return apply_command(one(severity), MERGE, RUNBOOK, at(5))


def taken(incident: Incident, message: MergeMessage, minute: float = 5) -> Incident:
    return apply_merge_message(incident, message, RUNBOOK, at(minute))


def announced(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.announce]


def test_65_the_merged_one_stops_and_points_to_the_other() -> None:
    incident = merged()
    assert incident.over
    assert "merged into INC-42" in headline(incident)
    assert any("Merged into INC-42: same cause" in text for text in announced(incident))
    assert "INC-42" in incident.updates.published[-1].text
    assert set(incident.updates.published[-1].channels) == set(RUNBOOK.policy("P1").updates.channels)
    assert not keys(incident, "escalate/")
    assert keys(incident, "page-resolve/") == ["page-resolve/0"]
    assert not postmortem_owed(incident, RUNBOOK)


def test_65_the_other_takes_its_alerts_the_worse_severity_and_the_earlier_start() -> None:
    [message] = merged("P1").merging.outgoing
    assert message.target == "incident-42"
    incident = taken(target("P2"), message)
    assert [alert.fingerprint for alert in incident.alerting.firing] == ["A42", "A43"]
    assert (incident.severity, incident.started_at) == ("P1", T0)
    assert any("INC-43 was merged into this incident: Evaluation errors" in text for text in announced(incident))
    assert taken(target("P0"), message).severity == "P0", "never lowered"


def test_65_later_alerts_follow_in_order() -> None:
    incident = events.alert_fired(settled(merged(), at(5)), (firing("Later", at(9)),), RUNBOOK, at(9))
    incident = events.alert_resolved(incident, (firing("Later").replace(ended_at=at(10)),), RUNBOOK, at(10))
    assert incident.over, "it is not reopened"
    assert [message.kind for message in incident.merging.outgoing] == ["fired", "ended"]
    assert len(keys(incident, "merge/")) == 1, "one at a time"
    goes_on = target()
    for message in (merged().merging.outgoing[0], *incident.merging.outgoing):
        goes_on = taken(goes_on, message, 11)
    assert [(a.fingerprint, a.ended_at is None) for a in goes_on.alerting.alerts] == [
        ("A42", True),
        ("A43", True),
        ("Later", False),
    ]
    sent = settled(incident, at(11))
    assert sent.merging.outgoing == ()


def test_65_it_stays_as_long_as_alerts_may_follow() -> None:
    incident = settled(merged(), at(5))
    assert not incident.closed
    [close] = [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.CLOSE]
    assert close.due == at(5) + timedelta(days=7)


def test_65_undo_brings_it_back_and_takes_its_alerts_along() -> None:
    incident = settled(merged(), at(5))
    back = apply_command(incident, c.Unmerge(by="ann", reason="two causes"), RUNBOOK, at(20))
    assert (back.status, back.merging.into, back.over) == (Status.INVESTIGATING, None, False)
    assert back.number == incident.number
    [message] = back.merging.outgoing
    goes_on = taken(taken(target(), merged().merging.outgoing[0]), message, 20)
    assert [alert.fingerprint for alert in goes_on.alerting.alerts] == ["A42"]
    assert goes_on.merging.absorbed == ()


@pytest.mark.parametrize(
    ("incident", "command", "why"),
    [
        (one(), MERGE.replace(workflow_id="incident-43"), "into itself"),
        (one().replace(merging=one().merging.replace(absorbed=("incident-42",))), MERGE, "circle"),
        (apply_command(one(), c.Resolve(by="a", force=True, reason="x"), RUNBOOK, at(1)), MERGE, "Reopen it first"),
        (merged(), MERGE.replace(workflow_id="incident-41", into=41), "was merged into INC-42"),
        (merged(), c.Acknowledge(by="ann"), "Act there, or undo it: `incident unmerge 43`"),
        (one(), c.Unmerge(by="ann"), "was not merged"),
    ],
)
def test_66_what_cannot_be_merged_is_refused(incident: Incident, command: Command, why: str) -> None:
    with pytest.raises((CommandRejected, AlreadyDone), match=why):
        apply_command(incident, command, RUNBOOK, at(6))


def test_66_a_circle_by_way_of_a_third_is_refused_too() -> None:
    first = merged().merging.outgoing[0]
    second = taken(target(), first)
    onward = apply_command(second, c.Merge(by="b", into=41, workflow_id="incident-41"), RUNBOOK, at(6))
    third = taken(one("P1", 41, "incident-41"), onward.merging.outgoing[0], 6)
    with pytest.raises(CommandRejected, match="circle"):
        apply_command(third, c.Merge(by="b", into=43, workflow_id="incident-43"), RUNBOOK, at(7))


def test_65_if_the_other_has_ended_the_alert_is_not_lost() -> None:
    incident = settled(merged(), at(5))
    incident = events.alert_fired(incident, (firing("Later", at(9)),), RUNBOOK, at(9))
    incident = results.failed(incident, obligation(incident, "merge/"), "not found", RUNBOOK, at(9))
    assert (incident.status, incident.merging.into) == (Status.INVESTIGATING, None)
    assert "Later" in [alert.fingerprint for alert in incident.alerting.firing]
    assert keys(incident, "page/"), "somebody is paged"
    assert any("INC-42 has ended: this incident is no longer merged" in text for text in announced(incident))


def test_65_the_message_is_sent_once() -> None:
    incident = merged()
    due = obligation(incident, "merge/0")
    assert fulfil(incident, due, at(5)).merging.sent == 1


def delivered(*incidents: Incident, minute: float = 6) -> dict[str, Incident]:
    """The incidents after every merge message has arrived, in the order in which they were sent."""
    known = {incident.workflow_id: incident for incident in incidents}
    for _ in range(200):
        senders = [incident for incident in known.values() if incident.merging.outgoing]
        if not senders:
            return known
        sender = senders[0]
        message = sender.merging.outgoing[0]
        known[sender.workflow_id] = fulfil(sender, obligation(sender, "merge/"), at(minute))
        known[message.target] = taken(known[message.target], message, minute)
    raise AssertionError("messages go around for ever")


def merge_into(incident: Incident, number: int) -> Incident:
    command = c.Merge(by="bob", into=number, workflow_id=f"incident-{number}")
    return apply_command(incident, command, RUNBOOK, at(5))


def numbered(number: int, severity: Severity = "P2") -> Incident:
    return one(severity, number, f"incident-{number}")


@pytest.mark.parametrize("order", list(permutations((41, 42))))
def test_66_of_two_that_are_merged_into_each_other_the_lower_number_stays_open(order: tuple[int, ...]) -> None:
    both = {41: merge_into(numbered(41), 42), 42: merge_into(numbered(42, "P0"), 41)}
    after = delivered(*(both[number] for number in order))
    low, high = after["incident-41"], after["incident-42"]
    assert (low.over, low.merging.into, low.severity) == (False, None, "P0")
    assert high.over
    assert high.merging.into is not None
    assert high.merging.into.number == 41
    assert (low.merging.absorbed, high.merging.absorbed) == (("incident-42",), ())
    assert {alert.fingerprint for alert in low.alerting.firing} == {"A41", "A42"}
    assert keys(low, "page/"), "somebody is paged"
    assert any("merged into this incident at the same time" in text for text in announced(low))


@pytest.mark.parametrize("order", list(permutations((41, 42, 43))))
@pytest.mark.parametrize("clockwise", [True, False])
def test_66_of_a_circle_of_three_the_lowest_number_stays_open(order: tuple[int, ...], clockwise: bool) -> None:
    into = {41: 42, 42: 43, 43: 41} if clockwise else {41: 43, 43: 42, 42: 41}
    after = delivered(*(merge_into(numbered(number), into[number]) for number in order))
    assert [incident.number for incident in after.values() if not incident.over] == [41]
    assert set(after["incident-41"].merging.absorbed) == {"incident-42", "incident-43"}
    assert {alert.fingerprint for alert in after["incident-41"].alerting.firing} == {"A41", "A42", "A43"}


@pytest.mark.parametrize("last", [41, 42, 43])
def test_66_a_circle_that_one_merge_closes_late_has_one_survivor_too(last: int) -> None:
    """The other two merges are known where they were sent when the last one is made."""
    into = {41: 42, 42: 43, 43: 41}
    first, second = (number for number in (41, 42, 43) if number != last)
    closing = merge_into(numbered(last), into[last])
    known = {f"incident-{last}": numbered(last)} | {f"incident-{n}": numbered(n) for n in (first, second)}
    for number in (first, second):
        known[f"incident-{number}"] = merge_into(known[f"incident-{number}"], into[number])
    after = delivered(*({**known, f"incident-{last}": closing}).values())
    assert [incident.number for incident in after.values() if not incident.over] == [41]


def test_66_a_merge_into_a_merged_incident_reaches_the_open_one() -> None:
    after = delivered(merge_into(numbered(43, "P0"), 42), merge_into(numbered(42), 41), numbered(41))
    assert set(after["incident-41"].merging.absorbed) == {"incident-42", "incident-43"}
    assert after["incident-41"].severity == "P0"
    back = apply_command(after["incident-43"], c.Unmerge(by="ann"), RUNBOOK, at(8))
    apart = delivered(*({**after, "incident-43": back}).values(), minute=8)
    assert apart["incident-41"].merging.absorbed == ("incident-42",)
    assert {alert.fingerprint for alert in apart["incident-41"].alerting.firing} == {"A41", "A42"}


@pytest.mark.parametrize(("drill", "why"), [(True, "INC-43 is a drill"), (False, "INC-43 is a real incident")])
def test_81_a_drill_and_a_real_incident_are_not_merged(drill: bool, why: str) -> None:
    incident = one().replace(drill=drill)
    with pytest.raises(CommandRejected, match=why):
        apply_command(incident, MERGE.replace(target_drill=not drill), RUNBOOK, at(5))
    assert apply_command(incident, MERGE.replace(target_drill=drill), RUNBOOK, at(5)).over


@pytest.mark.parametrize(("status", "why"), [(Status.RESOLVED, "reopen it first"), (Status.CANCELLED, "cancelled or")])
def test_66_a_target_that_is_over_is_refused(status: Status, why: str) -> None:
    with pytest.raises(CommandRejected, match=why):
        apply_command(one(), MERGE.replace(target_status=status), RUNBOOK, at(5))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (lambda t: apply_command(t, c.Resolve(by="a", force=True, reason="x"), RUNBOOK, at(4)), "INC-42 is resolved"),
        (lambda t: apply_command(t, c.Cancel(by="a", reason="x"), RUNBOOK, at(4)), "INC-42 is cancelled"),
        (lambda t: t.replace(drill=True), "INC-42 is a drill"),
    ],
)
def test_65_a_merge_that_the_target_cannot_take_is_undone(changed: Callable[[Incident], Incident], why: str) -> None:
    after = delivered(merged(), changed(target()))
    back, other = after["incident-43"], after["incident-42"]
    assert (back.over, back.merging.into) == (False, None)
    assert any(why in text for text in announced(back))
    assert keys(back, "page/"), "somebody is paged"
    assert other.merging.absorbed == ()


def test_65_a_rejection_of_an_earlier_merge_does_not_undo_a_later_one() -> None:
    incident = merged()
    [sent] = incident.merging.outgoing
    rejection = sent.replace(kind=MergeMessageKind.REJECTED, sender="run-42", sequence=0)
    back = apply_command(incident, c.Unmerge(by="ann"), RUNBOOK, at(6))
    again = apply_command(back, c.Merge(by="bob", into=44, workflow_id="incident-44"), RUNBOOK, at(7))
    assert taken(again, rejection, 8).merging.into is not None


def test_65_a_merge_that_could_not_be_sent_brings_back_an_incident_without_alerts() -> None:
    by_hand = opened("P1").replace(workflow_id="incident-43", number=43)
    incident = settled(by_hand, at(0)).replace(number=43)
    incident = apply_command(incident, MERGE, RUNBOOK, at(5))
    incident = results.failed(incident, obligation(incident, "merge/"), "not found", RUNBOOK, at(6))
    assert (incident.over, incident.merging.into) == (False, None)
    assert any("INC-42 has ended" in text for text in announced(incident))


def test_65_the_end_of_an_alert_that_could_not_be_sent_reopens_nothing() -> None:
    incident = settled(merged(), at(5))
    incident = events.alert_resolved(incident, (firing("A43").replace(ended_at=at(9)),), RUNBOOK, at(9))
    incident = results.failed(incident, obligation(incident, "merge/"), "not found", RUNBOOK, at(9))
    assert incident.over
    assert incident.merging.into is not None
    assert incident.merging.outgoing == ()


def judged_target(severity: Severity) -> Incident:
    """A target that knows A43 as critical, and whose severity a person declared since."""
    alert = firing("A43").replace(labels={"alertname": "A43", "severity": "critical"})
    incident = events.alert_fired(target("P1"), (alert,), RUNBOOK, at(3))
    assert incident.severity == "P0"
    return apply_command(incident, c.DeclareSeverity(by="ann", severity=severity), RUNBOOK, at(4))


def critical() -> Incident:
    alert = firing("A43").replace(labels={"alertname": "A43", "severity": "critical"})
    return events.alert_fired(opened("P2").replace(**IDS), (alert,), RUNBOOK, at(1))


IDS = {"workflow_id": "incident-43", "number": 43, "first_run_id": "run-43"}


def test_86_a_merge_does_not_override_a_judgement_of_the_same_alerts() -> None:
    [message] = apply_command(critical(), MERGE, RUNBOOK, at(5)).merging.outgoing
    assert message.severity == "P0"
    assert taken(judged_target("P2"), message).severity == "P2"
    assert taken(target("P2"), message).severity == "P0", "not judged there"
    other = firing("Other").replace(labels={"alertname": "Other", "severity": "critical"})
    more = events.alert_fired(critical(), (other,), RUNBOOK, at(2))
    assert taken(judged_target("P2"), apply_command(more, MERGE, RUNBOOK, at(5)).merging.outgoing[0]).severity == "P0"


def test_86_of_two_judgements_the_worse_one_counts_and_a_judged_alert_raises_nothing() -> None:
    confirmed = apply_command(critical(), c.DeclareSeverity(by="bob", severity="P1"), RUNBOOK, at(4))
    [message] = apply_command(confirmed, MERGE, RUNBOOK, at(5)).merging.outgoing
    assert taken(judged_target("P2"), message).severity == "P1"
    assert taken(target("P2"), message).severity == "P1", "not P0, as its alert states"


def test_65_undo_gives_back_the_alerts_that_came_for_it_with_their_state() -> None:
    shared = firing("Shared", at(3))
    goes_on = events.alert_fired(target(), (shared,), RUNBOOK, at(3))
    after = delivered(merged(), goes_on)
    mine = events.alert_fired(after["incident-43"], (firing("Later", at(9)), shared), RUNBOOK, at(9))
    after = delivered(mine, after["incident-42"], minute=9)
    asked = events.alerts_ended(after["incident-42"], {"A43": at(10)}, RUNBOOK, at(10))  # by asking the monitoring
    back = apply_command(after["incident-43"], c.Unmerge(by="ann"), RUNBOOK, at(20))
    after = delivered(back, asked, minute=20)

    def alerts(number: int) -> dict[str, bool]:
        states = after[f"incident-{number}"].alerting.alerts
        return {state.fingerprint: state.ended_at is None for state in states}

    assert alerts(42) == {"A42": True, "Shared": True}
    assert alerts(43) == {"A43": False, "Later": True, "Shared": True}
    assert not after["incident-43"].over


def test_65_undo_leaves_no_alert_that_holds_the_other_one_open() -> None:
    after = delivered(merged(), target())
    ended = firing("A42").replace(ended_at=at(8))
    goes_on = events.alert_resolved(after["incident-42"], (ended,), RUNBOOK, at(8))
    assert goes_on.alerting.quiet_until is None
    back = apply_command(after["incident-43"], c.Unmerge(by="ann"), RUNBOOK, at(20))
    assert delivered(back, goes_on, minute=20)["incident-42"].alerting.quiet_until is not None


def test_24_a_private_incident_shows_a_public_one_only_its_number() -> None:
    incident = one().replace(private=True, title="Breach of the vault")
    secret = firing("VaultBreach").replace(labels={"alertname": "VaultBreach", "severity": "critical"})
    incident = settled(events.alert_fired(incident, (secret,), RUNBOOK, at(3)), at(3))
    after = delivered(apply_command(incident, MERGE, RUNBOOK, at(5)), target("P2"))
    later = firing("VaultLeak", at(9)).replace(labels={"alertname": "VaultLeak", "severity": "critical"})
    after = delivered(events.alert_fired(after["incident-43"], (later,), RUNBOOK, at(9)), after["incident-42"])
    other = after["incident-42"]
    assert (other.severity, len(other.alerting.firing)) == ("P0", 4)
    hidden = other.model_dump_json()
    assert "Breach of the vault" not in hidden
    assert "Vault" not in hidden.replace('"fingerprint":"Vault', "")
    assert any("INC-43 was merged into this incident" in text for text in announced(other))
    back = apply_command(after["incident-43"], c.Unmerge(by="ann"), RUNBOOK, at(20))
    mine = delivered(back, other, minute=20)["incident-43"]
    assert {state.name for state in mine.alerting.alerts} == {"A43", "VaultBreach", "VaultLeak"}


def test_65_a_repeated_delivery_of_any_message_changes_nothing() -> None:
    incident = events.alert_fired(merged(), (firing("Later", at(6)),), RUNBOOK, at(6))
    incident = events.alert_resolved(incident, (firing("Later").replace(ended_at=at(7)),), RUNBOOK, at(7))
    incident = apply_command(incident, c.Unmerge(by="ann"), RUNBOOK, at(8))
    assert [message.kind for message in incident.merging.outgoing] == ["absorbed", "fired", "ended", "separated"]
    other = target()
    for message in incident.merging.outgoing:
        other = taken(other, message, 9)
        assert taken(other, message, 9) == other, message.kind
    assert taken(other, incident.merging.outgoing[0], 9) == other, "nor does an older one"


def test_65_undo_gives_the_other_one_its_own_start_back_unless_a_person_corrected_it() -> None:
    after = delivered(merged(), target())
    assert after["incident-42"].started_at == T0
    back = apply_command(after["incident-43"], c.Unmerge(by="ann"), RUNBOOK, at(20))
    assert delivered(back, after["incident-42"], minute=20)["incident-42"].started_at == at(2)
    correct = c.CorrectTime(by="ann", which=c.Mark.STARTED, to=at(1), reason="the first error")
    corrected = apply_command(after["incident-42"], correct, RUNBOOK, at(10))
    assert delivered(back, corrected, minute=20)["incident-42"].started_at == at(1)
