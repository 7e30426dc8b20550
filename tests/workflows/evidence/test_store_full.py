"""The evidence store is full while an incident is resolved: nothing is given up, and everything follows."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.domain.incident.commands import Acknowledge, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.config import Proposal
from incidents.domain.reporting.record import Record
from incidents.rehearsal.server import skipping_server
from tests.support.environment import World
from tests.support.fake_activities import FakeActivities
from tests.support.full_disk import FullDisk, activities_on, store_on
from tests.support.postmortems import state

MANY = 1000
"""More attempts than are made."""
STORED = ("evidence", "record", "notice/", "postmortem")


@pytest.fixture
def disk() -> FullDisk:
    return FullDisk()


@pytest.fixture
async def storing(disk: FullDisk, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose evidence, records and drafts are written to that disk, by the real activities."""
    async with skipping_server() as env:
        world = World(env=env, activities=FakeActivities(real=activities_on(store_on(disk, tmp_path))))
        async with world.worker():
            yield world
            await world.assert_sound()


async def test_what_a_full_disk_could_not_take_follows_when_there_is_room(
    storing: World, disk: FullDisk, tmp_path: Path
) -> None:
    world = storing
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(60)
    disk.full = True
    await world.tell(Resolve(by="ann", force=True, reason="fixed"), but=STORED)
    await world.at(85, but=STORED)
    incident = await world.incident()
    assert not incident.evidence.manifests
    said = [text for text in (entry.text for entry in incident.timeline) if text.startswith("Not done yet: ")]
    assert [text.partition(" (")[0] for text in sorted(said)] == [
        "Not done yet: Save the evidence",
        "Not done yet: Save the record for reports",
    ]
    assert all("No space left on device" in text and "Nothing is lost" in text for text in said)
    assert not incident.ledger.failures
    assert written(tmp_path) == []

    await world.at(100, but=STORED)
    [announced] = told_owner(world)
    assert "The draft could not be saved yet (evidence write: " in announced
    assert "No space left on device); it follows when the evidence store takes it." in announced

    disk.full = False
    await world.at(240, but=STORED)
    incident = await world.incident()
    [manifest] = incident.evidence.manifests
    assert (tmp_path / manifest.path).is_file()
    record = Record.model_validate_json((tmp_path / "INC-1" / "record.json").read_bytes())
    assert record.status == "resolved"
    assert not incident.ledger.postponed
    texts = [entry.text for entry in incident.timeline]
    assert sum(text.startswith("Not done yet") for text in texts) == 2
    assert any(text.startswith("Save the record for reports: saved, after ") for text in texts)
    assert_draft_has_followed(world, tmp_path)
    postmortem = await state(world)
    assert postmortem.incident.evidence.manifests == incident.evidence.manifests, "the late evidence was sent on"
    assert postmortem.draft_url.startswith("file://")


def written(folder: Path) -> list[Path]:
    return list(folder.rglob("*.json"))


def assert_draft_has_followed(world: World, folder: Path) -> None:
    draft = (folder / "INC-1" / "postmortem-1.md").read_text(encoding="utf-8")
    assert "no evidence was saved at resolution" not in draft
    _, *later = told_owner(world)
    assert len(later) == 1
    assert " Draft: file://" in later[0]


def told_owner(world: World) -> list[str]:
    """What the owner was told, in the channel."""
    return [message.text for _, message in world.sent("post_message", "announce/1")]


async def test_a_proposal_follows_when_the_draft_can_be_read_again(storing: World) -> None:
    world = storing
    rules = world.runbook.postmortem.replace(proposal=Proposal.PULL_REQUEST)
    world.runbook = world.runbook.replace(postmortem=rules)
    world.activities.faults["propose_document"] = MANY
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    proposal = "Propose the document in the repository"
    await world.env.sleep(world.runbook.retry_for.others + timedelta(minutes=10))
    postmortem = await state(world)
    assert next(e.text for e in postmortem.timeline if proposal in e.text).startswith(f"Not done yet: {proposal} (")
    assert not postmortem.ledger.failures
    world.activities.faults["propose_document"] = 0
    await world.env.sleep(timedelta(hours=1))
    postmortem = await state(world)
    assert any(entry.text.startswith(proposal) for entry in postmortem.timeline)
    assert not postmortem.ledger.postponed


async def test_a_record_follows_though_the_incident_has_closed(storing: World, disk: FullDisk, tmp_path: Path) -> None:
    world = storing
    await world.open(severity="warning")
    await world.tell(Acknowledge(by="ann"))
    disk.full = True
    await world.at(30)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"), but=STORED)
    window = world.runbook.policy((await world.incident()).highest_severity).reopen_window.total_seconds() / 60
    await world.at(30 + window + 5, but=STORED)
    incident: Incident = await world.incident()
    assert incident.closed
    disk.full = False
    ended = await world.ended()
    assert not ended.ledger.failures
    assert (tmp_path / "INC-1" / "record.json").is_file()
    assert ended.evidence.manifests
