"""Our own status site: what it makes of the files that it stored, however old or broken they are."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from activities.updates.status_pages.static_site import StatusSite
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.core.text.public_text import PublicText
from incidents.vendors.storage import FileStore
from tests.activities.updates.test_static_site import NOW, PAGE, UPDATE, later, publish, read, removal
from tests.support.incidents import RUNBOOK


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def make(folder: Path) -> Callable[..., StatusSite]:
    """Makes the site of one more worker."""
    runbook = RUNBOOK.replace(status_page=PAGE)

    def site(now: datetime = NOW) -> StatusSite:
        return StatusSite(FileStore(folder.as_uri()), runbook, lambda: now)

    return site


def test_an_open_incident_is_shown_however_old_its_last_update_is(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    over = UPDATE.replace(marker="run-8", headline=PublicText.trusted("Webhooks"), status="resolved", affected={})
    publish(make(), over)
    publish(make(), UPDATE)
    site = make(NOW + timedelta(days=200))
    site.refresh(())
    document = json.loads(read(folder, "status.json"))
    assert document["status"] == "incident"
    assert [incident["title"] for incident in document["incidents"]] == [UPDATE.headline]
    assert "There is an incident" in read(folder)
    publish(site, later(2, "resolved", "Done.", affected={}))
    site.refresh(())
    assert "All systems operational" in read(folder)


def test_an_open_incident_is_in_the_document_however_many_are_newer(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    site = make()
    publish(site, UPDATE)
    for number in range(51):
        publish(site, UPDATE.replace(marker=f"run-{100 + number}", status="resolved", at=NOW, affected={}))
    listed = json.loads(read(folder, "status.json"))["incidents"]
    assert [incident["status"] for incident in listed] == ["investigating"] + 50 * ["resolved"]


@pytest.mark.parametrize("name", ["maintenance.json", "site.json"])
@pytest.mark.parametrize("content", ["", "{", '{"since": 3}', '{"since": "2026-11-23T14:00:00"}', "[1]"])
def test_a_broken_file_does_not_stop_publication(
    make: Callable[..., StatusSite], folder: Path, name: str, content: str
) -> None:
    publish(make(), UPDATE)
    (folder / name).write_text(content)
    publish(make(), later(2, "monitoring", "It looks better."))
    assert "It looks better." in read(folder)
    make().refresh(())
    json.loads(read(folder, name))


def test_24_nothing_of_a_private_incident_is_published_while_it_is_open(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    site = make()
    publish(site, UPDATE, removal(1))
    publish(site, later(2, "monitoring", "It looks better.", withdrawn=True))
    assert json.loads(read(folder, "status.json"))["incidents"] == []
    assert "All systems operational" in read(folder)
    pages = [path for path in folder.rglob("*.*") if path.parent.parent.name != "updates"]
    assert not [path for path in pages if "It looks better" in path.read_text(encoding="utf-8")]


def test_24_the_impact_of_a_private_incident_is_in_no_file(make: Callable[..., StatusSite], folder: Path) -> None:
    publish(make(), UPDATE, removal(1), later(2, "resolved", "INC-7 is closed.", withdrawn=True))
    assert "closed" in read(folder)
    assert not [path for path in folder.rglob("*.*") if "critical" in path.read_text(encoding="utf-8")]


def test_the_document_says_that_maintenance_is_in_progress(make: Callable[..., StatusSite], folder: Path) -> None:
    make().refresh([MaintenanceWindow(since=NOW, until=NOW + timedelta(hours=1), reason="x")])
    assert json.loads(read(folder, "status.json"))["status"] == "maintenance"
