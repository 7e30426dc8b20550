"""The status site between updates: a worker keeps it current, with the windows that responders started."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.updates.status_pages.static_site import StatusSite
from incidents.app.composition.clients import build_status_page
from incidents.app.composition.site_refresh import refresh_once, refreshing_site
from incidents.app.settings import load_settings
from incidents.client.maintenance import send_window
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.started_windows import StartWindow
from incidents.vendors.storage import FileStore
from tests.support.environment import QUEUE, World
from tests.support.incidents import RUNBOOK
from tests.workflows.conftest import empty_world, live_world

__all__ = ["empty_world", "live_world"]
IN_MAINTENANCE = "Planned maintenance is in progress"


@pytest.fixture
async def nobody() -> Client:
    """A client of a server that does not answer."""
    return await Client.connect("127.0.0.1:1", lazy=True)


async def test_a_window_that_a_responder_starts_is_shown_without_its_reason(live_world: World, tmp_path: Path) -> None:
    client, until = live_world.env.client, datetime.now(UTC) + timedelta(hours=2)
    command = StartWindow(by="ann", until=until, service="dashboard", reason="db-eu-7")
    await send_window(client, command, QUEUE, timedelta(seconds=30))
    await refresh_once(client, StatusSite(FileStore(tmp_path.as_uri()), RUNBOOK))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert IN_MAINTENANCE in page
    assert "db-eu-7" not in page


async def test_without_temporal_the_site_shows_what_it_knew(nobody: Client, tmp_path: Path) -> None:
    site, now = StatusSite(FileStore(tmp_path.as_uri()), RUNBOOK), datetime.now(UTC)
    site.refresh([MaintenanceWindow(since=now, until=now + timedelta(hours=2), reason="x")])
    await refresh_once(nobody, site)
    assert IN_MAINTENANCE in (tmp_path / "index.html").read_text(encoding="utf-8")


async def test_a_site_that_cannot_be_written_does_not_stop_the_worker(
    nobody: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "site").write_text("not a folder")
    await refresh_once(nobody, StatusSite(FileStore((tmp_path / "site").as_uri()), RUNBOOK))
    assert "The status site was not refreshed" in caplog.text


async def test_a_worker_without_a_site_refreshes_none(
    nobody: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS_SITE_URL", str(tmp_path / "site"))
    monkeypatch.setenv("STATUSPAGE_API_KEY", "k")
    monkeypatch.setenv("STATUSPAGE_PAGE_ID", "p")
    async with refreshing_site(nobody, build_status_page(load_settings(), RUNBOOK)):
        pass
    assert not (tmp_path / "site").exists(), "Statuspage comes first"
