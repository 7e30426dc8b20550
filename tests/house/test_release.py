"""A release: one version, the same bytes from the same commit, and the workflows that make it."""

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tomllib
import zipfile
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.release import ROOT, SUMS, ReleaseRefused, build, check_same, check_tag, normal, version, write

WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "deploy" / "ci" / "runbook-plan.yml"]
OURS = WORKFLOWS[:-1]
MAY_WRITE = {("release.yml", "publish"): {"contents": "write"}}
"""The jobs that may change anything, and what."""
TARGET = re.compile(r"\bmake ([a-z-]+)")
PINNED = re.compile(r"^\s*- uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def loaded(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def commands(path: Path) -> str:
    return "\n".join(step.get("run", "") for job in loaded(path)["jobs"].values() for step in job["steps"])


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert installed_version(project["name"]) == version() == project["version"]
    assert f"\n## [{version()}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    overlay = ROOT / "deploy" / "kubernetes" / "overlays" / "example" / "kustomization.yaml"
    assert loaded(overlay)["images"][0]["newTag"] == version(), "the image that is deployed"


def test_a_tag_is_the_versions() -> None:
    check_tag(f"v{version()}")
    check_tag("")
    with pytest.raises(ReleaseRefused, match=r"The tag is v9\.9\.9"):
        check_tag("v9.9.9")


def packed(*names: str, mtime: int, uid: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid, member.uname = len(name), mtime, uid, f"user{uid}"
            archive.addfile(member, io.BytesIO(name.encode()))
    return out.getvalue()


def test_an_archive_does_not_tell_where_it_was_made() -> None:
    here, there = packed("a", "b", mtime=1, uid=7), packed("b", "a", mtime=2, uid=8)
    assert normal(here, 1_700_000_000) == normal(there, 1_700_000_000)
    with tarfile.open(fileobj=io.BytesIO(normal(here, 1_700_000_000))) as archive:
        assert [(member.name, member.mtime, member.uid) for member in archive] == [
            ("a", 1_700_000_000, 0),
            ("b", 1_700_000_000, 0),
        ]


def test_builds_that_differ_are_refused() -> None:
    check_same({"a.whl": b"1"}, {"a.whl": b"1"})
    with pytest.raises(ReleaseRefused, match=r"differ in a\.whl, b\.whl"):
        check_same({"a.whl": b"1", "b.whl": b""}, {"a.whl": b"2"})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a release of this commit, by name."""
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False).returncode != 0:
        pytest.skip("this is not a git repository, so there is no commit to build")
    return build(tmp_path_factory.mktemp("release"), "HEAD")


@pytest.mark.timeout(300)
def test_a_release_is_reproducible_and_whole(files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    before = os.umask(0o077)
    try:
        check_same(files, build(tmp_path / "two", "HEAD"))
    finally:
        os.umask(before)
    name = f"incident_runbook-{version()}"
    assert set(files) == {f"{name}-py3-none-any.whl", f"{name}.tar.gz", f"{name}.cdx.json"}
    with zipfile.ZipFile(io.BytesIO(files[f"{name}-py3-none-any.whl"])) as wheel:
        assert "incidents/app/onboarding/templates/runbook.yaml.j2" in wheel.namelist()
    write(files, tmp_path / "dist")
    for line in (tmp_path / "dist" / SUMS).read_text("utf-8").splitlines():
        digest, file = line.split("  ")
        assert hashlib.sha256((tmp_path / "dist" / file).read_bytes()).hexdigest() == digest


@pytest.mark.timeout(300)
def test_the_bill_of_materials_lists_what_is_installed(files: dict[str, bytes]) -> None:
    bill = json.loads(files[f"incident_runbook-{version()}.cdx.json"])
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", version())
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert {(part["name"], part["version"]) for part in bill["components"]} == set(pins)
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert lines
    assert [line for line in lines if not PINNED.match(line)] == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_workflow_has_the_least_permissions(path: Path) -> None:
    found = loaded(path)
    assert found["permissions"] == {"contents": "read"}
    for name, job in found["jobs"].items():
        assert job.get("permissions") == MAY_WRITE.get((path.name, name))
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    assert "pull_request_target" not in found[True], "YAML's word for `on`"
    assert "${{" not in commands(path), "what an expression gives would be read as shell"


def test_the_workflows_run_what_there_is() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    said = "\n".join([script, *map(commands, OURS)])
    called = set(TARGET.findall(said))
    assert called >= {"check", "test", "release"}
    assert called <= targets
    assert all(".ci/run" in commands(path) for path in OURS)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
