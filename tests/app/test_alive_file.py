"""The worker's sign of life."""

import asyncio
import os
from pathlib import Path

import pytest

from incidents.app.liveness import alive_file as module
from incidents.app.liveness.alive_file import alive_file
from incidents.app.temporal_settings import SettingsError


async def test_the_file_is_touched_while_the_worker_runs_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    path = tmp_path / "alive"
    async with alive_file(path):
        os.utime(path, (0, 0))
        async with asyncio.timeout(20):
            while path.stat().st_mtime == 0:  # noqa: ASYNC110 - a file tells nobody that it changed
                await asyncio.sleep(0.01)
        path.unlink()
        async with asyncio.timeout(20):
            while not path.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert not path.exists()


async def test_why_it_can_no_longer_be_written_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.001)
    path = tmp_path / "folder" / "alive"
    path.parent.mkdir()
    async with alive_file(path):
        path.unlink(missing_ok=True)
        path.parent.rename(tmp_path / "gone")
        async with asyncio.timeout(20):
            while not caplog.messages:  # noqa: ASYNC110 - a log tells nobody that it grew
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    told = "The sign of life cannot be written (No such file or directory), so this worker will be restarted"
    assert caplog.messages == [told]


async def test_a_file_that_cannot_be_written_ends_the_worker_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"WORKER_ALIVE_FILE cannot be written \(No such file.*name a file"):
        async with alive_file(tmp_path / "no-folder" / "alive"):
            pass
    async with alive_file(None):
        pass
