"""What a demo checks before it starts anything, and what its programs get to see."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from sandbox.demo import files
from sandbox.demo.__main__ import parse
from sandbox.demo.files import FolderInUse, own_home
from sandbox.demo.programs import check_port
from sandbox.demo.stage import DemoFailed
from sandbox.environment import without_vendors


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "HOME", tmp_path / ".demo")
    return tmp_path / ".demo"


def test_the_previous_demos_files_are_deleted_but_not_those_of_one_that_runs(home: Path) -> None:
    with own_home():
        (home / "evidence").mkdir()
        (home / "evidence" / "x").touch()
        (home / "env").touch()
        with pytest.raises(FolderInUse, match=f"already \\(process {os.getpid()}\\). Nothing was started."), own_home():
            pass
        assert (home / "evidence" / "x").exists()
    with own_home():
        assert [path.name for path in home.iterdir()] == ["lock"]


def test_what_is_no_folder_is_one_line(home: Path) -> None:
    home.write_text("mine")
    with pytest.raises(FolderInUse, match="Nothing was started"), own_home():
        pass
    assert home.read_text() == "mine"


def test_a_port_on_which_somebody_listens_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(DemoFailed, match="cannot be used"):
            check_port(other.getsockname()[1])


@pytest.mark.parametrize("typed", ["-1", "65536", "web"])
def test_what_is_no_port_is_a_mistake_of_one_line(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--play", "--port", typed])
    assert end.value.code == 2
    assert "is not a port: 1 to 65535" in capsys.readouterr().err


def test_the_programs_do_not_see_what_a_shell_has_for_the_real_vendors() -> None:
    """Else the demo would page with PAGERDUTY_ROUTING_KEYS, and mail by SMTP_URL."""
    shell = {
        "PATH": "/bin",
        "SMTP_URL": "smtp://mail.example.com",
        "PAGERDUTY_ROUTING_KEYS": '{"cto": "key"}',
        "TEMPORAL_API_KEY": "key",
    }
    assert without_vendors(shell) == {"PATH": "/bin"}


def test_a_shell_forgets_the_server_that_it_had(home: Path) -> None:
    home.mkdir()
    env = files.write_env({"TEMPORAL_ADDRESS": "127.0.0.1:7"})
    environment = {"PATH": os.environ["PATH"], "TEMPORAL_API_KEY": "key", "TEMPORAL_TLS": "true"}
    said = subprocess.run(
        ["sh", "-euc", f". {env}; env"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert [line for line in said.splitlines() if line.startswith("TEMPORAL_")] == ["TEMPORAL_ADDRESS=127.0.0.1:7"]
