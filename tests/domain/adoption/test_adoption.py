"""A running incident under another runbook: nothing is sent twice, and what was promised is kept."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain.adoption.adoption import AdoptRunbook, adopt, changes_in_words
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.foresight.settling import settle
from incidents.domain.foresight.tracks import IncidentTrack
from incidents.domain.incident.commands import Acknowledge
from incidents.domain.incident.incident import Incident
from tests.support.incidents import RUNBOOK, T0, TEXT, at, lived, opened, settled
from tests.support.thoroughness import by_thoroughness


def edited(*changes: tuple[str, str]) -> RunbookConfig:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_runbook(text)


SLOWER = edited(("every: 30m #", "every: 1h #"))
FASTER = edited(("every: 30m #", "every: 10m #"))
SOONER = edited(("{contact: ceo, after: 30m", "{contact: ceo, after: 10m"))


def adopted(incident: Incident, new: RunbookConfig, when: datetime) -> Incident:
    return adopt(incident, AdoptRunbook(by="ann", runbook=new), RUNBOOK, when)


def sent(incident: Incident, runbook: RunbookConfig, start: float, end: float) -> list[tuple[int, str]]:
    """What is done from then on, minute by minute: the minute and the key."""
    track, found = IncidentTrack(incident, runbook), []
    for minute in range(int(start), int(end) + 1):
        found += [(minute, done.key) for done in settle(track, runbook, at(minute))]
    return found


def updates(found: list[tuple[int, str]]) -> list[int]:
    return [minute for minute, key in found if key.startswith("update/") and key.count("/") == 1]


@pytest.mark.parametrize(("new", "expected"), [(SLOWER, [60, 120, 180]), (FASTER, [60, 70, 80, 90])])
def test_the_promised_update_comes_and_then_the_new_cadence(new: RunbookConfig, expected: list[int]) -> None:
    incident = lived(settled(opened(), T0), 0, 40)
    found = updates(sent(adopted(incident, new, at(40)), new, 40, expected[-1]))
    assert found == expected


def test_a_rung_that_is_overdue_under_the_new_policy_is_climbed_at_once_and_only_once() -> None:
    incident = lived(settled(opened(), T0), 0, 15)
    found = sent(adopted(incident, SOONER, at(15)), SOONER, 15, 60)
    assert [minute for minute, key in found if key == "escalate/P0/0/ceo/page"] == [15]
    assert not [key for _, key in found if "/cto/" in key], "the CTO was called before"


def test_the_timeline_says_what_changed() -> None:
    incident = adopted(settled(opened(), T0), SLOWER, at(5))
    entry = incident.timeline[-1]
    assert (entry.actor, entry.text, entry.announce) == (
        "ann",
        "Runbook replaced: severities.P0.updates.every 30m → 1h",
        True,
    )
    many = edited(("product: FeatureSignals", "product: Acme"), ("team: FeatureSignals", "team: Acme"))
    assert changes_in_words(RUNBOOK, many).startswith("product FeatureSignals → Acme; team ")
    words = changes_in_words(
        RUNBOOK,
        parse_runbook(
            TEXT.replace("stability_window: 10m", "stability_window: 20m").replace(
                "reopen_window: 30m", "reopen_window: 4h"
            )
        ),
    )
    assert words.endswith("; and 1 more")


def test_a_post_mortem_that_has_started_keeps_its_runbook() -> None:
    incident = settled(opened(), T0)
    started = incident.replace(postmortem=incident.postmortem.replace(handed_over=True))
    text = adopted(started, SLOWER, at(5)).timeline[-1].text
    assert text.endswith("1h. The post-mortem keeps the runbook that it was started with")


def lacking(name: str) -> RunbookConfig:
    if name == "severity":
        return RUNBOOK.replace(severities={k: v for k, v in RUNBOOK.severities.items() if k != "P0"})
    if name == "service":
        return RUNBOOK.replace(services=RUNBOOK.services[1:])
    return RUNBOOK.replace(contacts={k: v for k, v in RUNBOOK.contacts.items() if k != name})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("severity", "The new runbook lacks severity P0, which this incident has or had. Nothing was changed."),
        ("service", "The new runbook lacks service flag-evaluation. Nothing was changed."),
        ("cto", "The new runbook lacks contact cto, who was called for this incident. Nothing was changed."),
    ],
)
def test_what_the_new_runbook_lacks_is_said_in_one_line(name: str, said: str) -> None:
    incident = settled(opened(), T0)
    with pytest.raises(CommandRejected) as error:
        adopted(incident, lacking(name), at(5))
    assert str(error.value) == said


def test_a_promised_update_needs_a_cadence() -> None:
    incident, policy = settled(opened(), T0), RUNBOOK.policy("P0")
    silent = policy.replace(updates=policy.updates.replace(every=None))
    with pytest.raises(CommandRejected, match=r"no updates for P0, and one is promised at 14:30 UTC"):
        adopted(incident, RUNBOOK.replace(severities={**RUNBOOK.severities, "P0": silent}), at(5))


def test_the_same_runbook_and_a_closed_incident_are_refused() -> None:
    incident = settled(opened(), T0)
    with pytest.raises(AlreadyDone):
        adopted(incident, parse_runbook(TEXT), at(5))
    with pytest.raises(CommandRejected, match="is closed"):
        adopted(incident.replace(closed=True), SLOWER, at(5))


@settings(max_examples=by_thoroughness(15, 60), deadline=None)
@given(st.integers(0, 90), st.sampled_from([SLOWER, FASTER, SOONER]), st.booleans())
def test_nothing_is_sent_twice(minute: int, new: RunbookConfig, acknowledged: bool) -> None:
    """Every key that was settled stays so, and the agenda under the new runbook owes none of them."""
    incident = settled(opened(), T0)
    if acknowledged:
        incident = apply_command(incident, Acknowledge(by="ann"), RUNBOOK, at(0))
    incident = lived(incident, 0, minute)
    after = adopted(incident, new, at(minute))
    assert set(incident.ledger.keys) <= set(after.ledger.keys)
    done = set(incident.ledger.fulfilled)
    assert not [owed.key for owed in agenda(after, new) if owed.key in done]
    again = [key for _, key in sent(after, new, minute, minute + 45)]
    assert not done & {key for key in again if not key.startswith(("summary/", "topic/"))}
    assert timedelta(0) <= after.timeline[-1].at - T0
