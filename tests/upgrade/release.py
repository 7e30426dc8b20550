"""Another release's wheel, built from its commit and installed in a folder. It runs with this one's dependencies."""

import shutil
import subprocess
import sys
from pathlib import Path


def install_release(commit: str, home: Path) -> Path:
    """Return the folder in which that commit's packages are installed. Nothing is downloaded.

    Raises:
        subprocess.CalledProcessError: git does not know the commit, or its wheel cannot be built.
    """
    source, wheels, release = home / "source", home / "wheels", home / "release"
    source.mkdir(parents=True, exist_ok=True)
    archive = home / "source.tar"
    _run("git", "archive", "--output", str(archive), commit)
    shutil.unpack_archive(archive, source, filter="data")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels), str(source))
    [wheel] = wheels.glob("*.whl")
    _run(*pip, "install", "--no-deps", "--no-index", "--target", str(release), str(wheel))
    shutil.copy(source / "sandbox" / "runbook.demo.yaml", release)
    return release


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
