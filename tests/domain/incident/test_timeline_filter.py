"""Parts of a timeline: people, system, public."""

from incidents.domain.apply_command import apply_command
from incidents.domain.apply_event import alert_fired
from incidents.domain.config.communication import Channel
from incidents.domain.incident.commands import AddNote, PostUpdate
from incidents.domain.incident.display.timeline_filter import Part, machine_actors, public_entries, select_entries
from incidents.domain.incident.incident import Incident
from tests.support.incidents import RUNBOOK, T0, at, firing, opened, settled


def busy() -> Incident:
    incident = settled(alert_fired(opened(), (firing(),), RUNBOOK, T0), at(1))
    incident = apply_command(incident, AddNote(by="ann", text="restarted"), RUNBOOK, at(2))
    incident = apply_command(incident, PostUpdate(by="bob", text="A fix is being tested."), RUNBOOK, at(3))
    return settled(incident, at(4))


def chosen(part: Part, since: float | None = None) -> list[tuple[str, str]]:
    entries = busy().timeline
    after = None if since is None else at(since)
    return [(e.actor, e.text) for e in select_entries(entries, part, after, machine_actors(entries))]


def test_people_and_system_make_the_whole() -> None:
    people, system = chosen(Part.PEOPLE), chosen(Part.SYSTEM)
    assert {actor for actor, _ in people} == {"ann", "bob"}
    assert {actor for actor, _ in system} == {"system", "Alertmanager"}
    assert ("ann", "restarted") in people
    assert sorted(people + system) == sorted(chosen(Part.ALL))


def test_since_leaves_out_what_was_before() -> None:
    assert chosen(Part.PEOPLE, since=2)[0] == ("ann", "restarted")
    assert all(actor == "bob" for actor, _ in chosen(Part.PEOPLE, since=2.5))
    assert chosen(Part.ALL, since=60) == []


def test_the_public_part_is_what_customers_read() -> None:
    first, second = public_entries(busy().updates.published)
    assert first.text.startswith("Update 1 (investigating; status_page, email): ")
    assert (second.actor, second.at) == ("bob", at(3))
    assert second.text == "Update 2 (investigating; status_page, email): A fix is being tested."
    only_chat = busy().updates.published[0].replace(channels=(Channel.SLACK,))
    assert public_entries((only_chat,)) == ()
