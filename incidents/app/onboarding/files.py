"""Write the two files, or neither."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from incidents.app.onboarding.rendering import Pair

RUNBOOK, ENV = "runbook.yaml", ".env"


class FilesExist(Exception):
    """A file is there already. The message names it; nothing was written."""


def refuse_existing(folder: Path) -> None:
    """Refuse if one of the files is there.

    Raises:
        FilesExist: it is named.
    """
    found = [str(path) for path in (folder / RUNBOOK, folder / ENV) if path.exists() or path.is_symlink()]
    if found:
        raise FilesExist(
            f"{' and '.join(found)} exists. Nothing was written. --force overwrites it, --folder writes elsewhere."
        )


def write_pair(pair: Pair, folder: Path, *, force: bool) -> None:
    """Write both files. If one cannot be written, or at Ctrl-C, both are as they were.

    Raises:
        FilesExist: one is there, and `force` is not set.
        OSError: the folder cannot be written to.
    """
    if not force:
        refuse_existing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / RUNBOOK: (pair.runbook, 0o644), folder / ENV: (pair.env, 0o600)}
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    with _all_or_none(before), contextlib.ExitStack() as stack:
        drafts = {}
        for path, (text, mode) in texts.items():
            drafts[path] = path.with_name(f"{path.name}.{os.getpid()}.new")
            stack.callback(drafts[path].unlink, missing_ok=True)
            drafts[path].touch(mode=mode)
            drafts[path].write_text(text, encoding="utf-8")
        for path, draft in drafts.items():
            draft.replace(path)


@contextlib.contextmanager
def _all_or_none(before: dict[Path, bytes | None]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for path, content in before.items():
            with contextlib.suppress(OSError):
                if content is None:
                    path.unlink(missing_ok=True)
                elif path.read_bytes() != content:
                    path.write_bytes(content)
        raise
