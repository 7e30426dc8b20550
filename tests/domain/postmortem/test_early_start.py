"""A post-mortem that is started before the resolution."""

import pytest

from incidents.domain.apply_command import apply_command as apply_to_incident
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.keys import Key
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import impact
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.activity_requests import WritePostmortem
from incidents.domain.postmortem.apply_command import apply_command
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.commands import PublishPostmortem
from incidents.domain.postmortem.document.markdown import Page, render
from incidents.domain.postmortem.document.reconstructed_timeline import reconstruct_timeline
from incidents.domain.postmortem.figures.impact import figures
from incidents.domain.postmortem.obligations.registry import postmortem_agenda
from incidents.domain.postmortem.postmortem import Postmortem, Stage, open_postmortem, restart_deadline
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, keys, obligation, opened, settled


def started() -> Incident:
    """A P0 that is open, and whose post-mortem ann starts after three minutes."""
    return apply_to_incident(settled(opened(), T0), c.StartPostmortem(by="ann"), RUNBOOK, at(3))


def early() -> Postmortem:
    return open_postmortem(started(), RUNBOOK, at(3))


def resolved(minute: float) -> Incident:
    return apply_to_incident(started(), c.Resolve(by="ann", force=True, reason="fixed"), RUNBOOK, at(minute))


def test_70_it_may_be_started_while_the_incident_is_open() -> None:
    assert obligation(started(), "postmortem/").key == "postmortem/0"
    assert not keys(settled(opened(), T0), "postmortem/"), "nobody is asked to start one early"
    assert (early().stage, early().due) == (Stage.STARTED, None)


def test_70_its_sections_are_filled_at_once_and_nobody_is_reminded() -> None:
    owed = {obligation.key: obligation for obligation in postmortem_agenda(early(), RUNBOOK)}
    assert not [key for key in owed if key.startswith(("breach", "remind", "mail", "direct"))]
    asked = postmortem_request(write := owed[Key("write", 1)], early(), RUNBOOK, at(3))
    assert write.due == at(3)
    assert isinstance(asked, WritePostmortem)
    incident = asked.postmortem.incident
    filled = Page(
        incident=incident,
        document=asked.postmortem.document,
        owner=asked.postmortem.owner,
        due="48 h after resolution",
        standing="Draft.",
        impact=str(impact(incident, RUNBOOK)),
        figures=figures(incident, RUNBOOK),
        rows=reconstruct_timeline(incident, {}),
        chart="chart.svg",
        blames=(),
    )
    text = render(filled)
    assert "Evaluation errors" in text
    assert "Page the engineer on call" in text, "the timeline so far"


def test_70_the_deadline_counts_from_the_resolution() -> None:
    owed = restart_deadline(early(), resolved(90), RUNBOOK, at(90))
    assert (owed.stage, owed.due) == (Stage.OWED, at(90 + 48 * 60))
    assert owed.resolved_at == at(90)


def test_70_it_cannot_be_published_before_the_resolution_and_keeps_its_text() -> None:
    written = early().replace(document=WRITTEN, figures=True)
    with pytest.raises(CommandRejected, match=r"INC-1 is still open\. Your text is saved"):
        apply_command(written, PublishPostmortem(by="ann"), RUNBOOK, at(5))
    owed = restart_deadline(written, resolved(90), RUNBOOK, at(90))
    assert owed.document == WRITTEN
    assert apply_command(owed, PublishPostmortem(by="ann"), RUNBOOK, at(95)).stage == Stage.PUBLISHED
