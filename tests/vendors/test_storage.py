"""Evidence: whole files, provably unchanged, never outside their folder."""

from __future__ import annotations

import hashlib
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from incidents.app.evidence.records import Damaged, load_records
from incidents.vendors.errors import (
    VendorNotFound,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.storage import EXTRAS, FileStore, Stored

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore((tmp_path / "evidence").as_uri())


def test_write_and_read(store: FileStore, tmp_path: Path) -> None:
    data = b"line\n" * 1000
    stored = store.write("incident-1/logs/eu.txt", data)
    url = (tmp_path / "evidence/incident-1/logs/eu.txt").as_uri()
    assert stored == Stored(url, 5000, hashlib.sha256(data).hexdigest())
    assert store.read("incident-1/logs/eu.txt") == data
    assert (tmp_path / "evidence/incident-1/logs/eu.txt").read_bytes() == data


def test_writing_again_replaces_and_leaves_nothing_behind(store: FileStore, tmp_path: Path) -> None:
    store.write("a/b.txt", b"one")
    assert store.write("a/b.txt", b"two") == store.write("a/b.txt", b"two")
    assert store.read("a/b.txt") == b"two"
    assert [path.name for path in (tmp_path / "evidence/a").iterdir()] == ["b.txt"]


def test_nobody_sees_half_a_file(store: FileStore) -> None:
    sizes = (100_000, 200_000)
    store.write("a.bin", b"x" * sizes[0])
    stop = threading.Event()

    def write() -> None:
        for turn in range(50):
            store.write("a.bin", b"x" * sizes[turn % 2])
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not stop.is_set():
        seen.add(len(store.read("a.bin")))
    writer.join()
    assert seen <= set(sizes)


def test_exists_and_list(store: FileStore, tmp_path: Path) -> None:
    assert store.list() == ()
    assert not store.exists("a/b.txt")
    for path in ("b/c.txt", "a/b.txt", "a/a.txt"):
        store.write(path, b"x")
    (tmp_path / "evidence/a/half.txt.123.part").write_bytes(b"h")
    assert store.list() == ("a/a.txt", "a/b.txt", "b/c.txt")
    assert store.list("a") == ("a/a.txt", "a/b.txt")
    assert store.list("nothing") == ()
    assert store.exists("a/b.txt")
    assert not store.exists("a"), "a folder is no file"


@pytest.mark.parametrize("path", ["", ".", "..", "/etc/passwd", "../a", "a/../../b", "a//b", "a/./b", "a\\b", "a\0b"])
def test_paths_stay_inside(store: FileStore, path: str) -> None:
    for act in (lambda: store.write(path, b"x"), lambda: store.read(path), lambda: store.exists(path)):
        with pytest.raises(VendorRejected) as caught:
            act()
        assert caught.value.code == "bad_path"


def test_nothing_there(store: FileStore) -> None:
    with pytest.raises(VendorNotFound, match=r"evidence read: there is no a/b.txt"):
        store.read("a/b.txt")


def test_no_right_to_write(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store._fs, "pipe_file", refuse)
    with pytest.raises(VendorUnauthorized):
        store.write("a.txt", b"x")


def test_a_full_disk_leaves_the_old_file(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("a.txt", b"old")

    def full(path: str, data: bytes) -> None:
        Path(path).write_bytes(data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._fs, "pipe_file", full)
    with pytest.raises(VendorUnavailable, match="No space left") as caught:
        store.write("a.txt", b"new")
    assert caught.value.retryable
    assert store.read("a.txt") == b"old"
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == ["a.txt"]


def test_object_stores_are_written_directly() -> None:
    store = FileStore("memory://bucket/evidence")
    assert store.write("a/b.txt", b"x").url == "memory://bucket/evidence/a/b.txt"
    assert store.read("a/b.txt") == b"x"
    assert store.list() == ("a/b.txt",)


def test_a_file_system_that_is_not_there() -> None:
    with pytest.raises(VendorRejected) as caught:
        FileStore("nonsense://me:pa55word@host/x")
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("s3://bucket/x", "s3fs", "s3"),
        ("gs://bucket/x", "gcsfs", "gcs"),
        ("abfs://c@a.dfs.core.windows.net/x", "adlfs", "azure"),
    ],
)
def test_an_object_store_without_its_extra_names_it(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    scheme = url.partition(":")[0]
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)  # where it was used before
    with pytest.raises(VendorRejected) as caught:
        FileStore(url)
    assert str(caught.value) == (
        f"evidence open: {scheme}:// URLs need the extra `{extra}`: pip install 'incident-runbook[{extra}]'"
    )
    with pytest.raises(Damaged, match=f"need the extra `{extra}`"):
        load_records(url)


def test_each_extra_of_a_store_is_one_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRAS.values()) <= set(project["optional-dependencies"])


def test_a_stream_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri())
    stored = store.write_stream("a/b.jsonl", (b"x" * 1000 for _ in range(50)))
    assert (stored.bytes, stored.sha256) == (50_000, hashlib.sha256(b"x" * 50_000).hexdigest())
    assert store.digest("a/b.jsonl") == stored.sha256

    def breaks_off() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        store.write_stream("a/b.jsonl", breaks_off())
    assert store.digest("a/b.jsonl") == stored.sha256, "the older file is still there"
    assert store.list() == ("a/b.jsonl",), "and nothing half-written"


def test_what_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(VendorNotFound):
        FileStore(tmp_path.as_uri()).digest("nothing.txt")


class ObjectStoreError(Exception):
    """As botocore and aiohttp have them: not an `OSError`."""


def test_an_object_store_that_is_away_is_tried_again(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise ObjectStoreError

    monkeypatch.setattr(store._fs, "pipe_file", away)
    with pytest.raises(VendorUnavailable, match="evidence write: ObjectStoreError") as caught:
        store.write("a.txt", b"x")
    assert caught.value.retryable


def test_an_error_of_the_source_is_not_the_stores(store: FileStore) -> None:
    def breaks_off(error: Exception) -> Iterator[bytes]:
        yield b"half"
        raise error

    for error in (VendorUnavailable("signoz", "logs", "503"), ConnectionResetError("by the source"), ValueError("odd")):
        with pytest.raises(type(error)) as caught:
            store.write_stream("a.jsonl", breaks_off(error))
        assert caught.value is error
