"""Build a release of the checked-out commit into dist/: wheel, source distribution, bill of materials, digests.

    python -m deploy.release --tag v0.2.0

It is built twice, in two folders, and refused if the two differ. The time in every file is the commit's.
"""

import argparse
import gzip
import hashlib
import io
import os
import subprocess  # nosec B404
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"


class ReleaseRefused(Exception):
    """No release was made. The message says why."""


def version() -> str:
    """Return the version: pyproject.toml is the only place that states it."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return found


def check_tag(tag: str) -> None:
    """Refuse a tag that is not the version's.

    Raises:
        ReleaseRefused: it is another.
    """
    if tag and tag != f"v{version()}":
        raise ReleaseRefused(f"The tag is {tag}, but pyproject.toml has version {version()}. Nothing was built.")


def build(work: Path, commit: str) -> dict[str, bytes]:
    """Build everything from an export of the commit, in a folder of its own; return the files by name."""
    source, out, epoch = work / "source", work / "out", _git("log", "-1", "--format=%ct", commit).decode().strip()
    for folder in (source, out):
        folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", commit))) as exported:
        exported.extractall(source, filter="data")
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    commands = (
        ("build", "--no-isolation", "--outdir", str(out), str(source)),
        _sbom_words(source, out / f"incident_runbook-{version()}.cdx.json"),
    )
    for words in commands:
        done = subprocess.run(  # nosec B603
            [sys.executable, "-m", *words],
            cwd=source,
            env=environment,
            umask=0o022,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ReleaseRefused(f"{words[0]} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    files = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    return {name: normal(data, int(epoch)) if name.endswith(".tar.gz") else data for name, data in files.items()}


def _sbom_words(source: Path, target: Path) -> tuple[str, ...]:
    """Return the command that lists what is installed with the program: requirements.txt, with its hashes."""
    options = ("--output-reproducible", "--output-format", "JSON", "--pyproject", str(source / "pyproject.toml"))
    return ("cyclonedx_py", "requirements", *options, "--output-file", str(target), str(source / "requirements.txt"))


def normal(archive: bytes, epoch: int) -> bytes:
    """Return the same .tar.gz with what depends on the machine taken out: order, times, owners, permissions."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as old, tarfile.open(fileobj=packed, mode="w") as new:
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), mtime=epoch)


def check_same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    """Compare two builds.

    Raises:
        ReleaseRefused: they differ; the files are named.
    """
    if different := sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)):
        raise ReleaseRefused(f"Two builds of one commit differ in {', '.join(different)}. Nothing was written.")


def write(files: dict[str, bytes], out: Path) -> str:
    """Write the files and their digests; return the digests as `sha256sum --check` reads them."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("incident_runbook-*"):
        old.unlink()
    for name, data in files.items():
        (out / name).write_bytes(data)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    (out / SUMS).write_text(sums, encoding="utf-8")
    return sums


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)  # nosec B603 B607
    if done.returncode != 0:
        raise ReleaseRefused(f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def main() -> int:
    """Build, compare and write; exit status 1 if the release is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", default="", help="refuse unless this is the version's tag")
    parser.add_argument("--commit", default="HEAD", help="what to build; changes that are not committed are left out")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to write (default: dist)")
    asked = parser.parse_args()
    try:
        check_tag(asked.tag)
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            files = build(Path(first), asked.commit)
            print("Built once; building it again to compare ...", flush=True)
            check_same(files, build(Path(second), asked.commit))
        print(write(files, asked.out), end="")
    except ReleaseRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
