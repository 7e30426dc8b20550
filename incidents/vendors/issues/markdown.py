"""An issue tracker without a vendor: a folder with one Markdown file for each issue.

The name of a file is its number, `0007.md`; making it exclusively is what allocates the number. The first line is the
title, the second its state and labels; comments follow below. People may edit the files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from incidents.vendors.access.access import Access, missing_rights
from incidents.vendors.errors import VendorNotFound, VendorUnauthorized, VendorUnavailable
from incidents.vendors.http import one_line
from incidents.vendors.issues.issue import Comment, Issue

_HEAD = re.compile(
    r"# (?P<title>.*)\n\n_(?P<state>open|closed|not planned)_(?: · (?P<labels>.*))?\n\n(?P<body>(?s:.*))"
)
_COMMENT = "\n\n---\n\n"


class MarkdownIssues:
    """The issues in one folder. Speaks as `GitHubClient` does of issues and comments."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()

    def check_access(self) -> Access:
        """Check that files can be written there."""
        return Access(missing=missing_rights(self._folder))

    def create_issue(self, title: str, body: str, labels: Sequence[str] = (), assignees: Sequence[str] = ()) -> Issue:
        """A new issue, whose text has to name its assignees.

        Repeated, it makes a second one: put a marker into the body and look with `find_issue` first.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            number = max([0, *self._numbers()]) + 1
            while True:
                try:
                    with self._path(number).open("x", encoding="utf-8") as file:
                        file.write(_written(title, "open", labels, body))
                    return self.get_issue(number)
                except FileExistsError:
                    number += 1
        except OSError as error:
            raise _failed("create_issue", error) from None

    def find_issue(self, marker: str, label: str) -> Issue | None:
        """The newest issue with this label whose text holds the marker."""
        found = (self.get_issue(number) for number in sorted(self._numbers(), reverse=True))
        return next((issue for issue in found if label in issue.labels and marker in issue.body), None)

    def get_issue(self, number: int) -> Issue:
        """The issue. `VendorNotFound` if there is none."""
        text = self._read(number)
        head = _HEAD.match(text)
        title, state, labels, body = head.groups() if head else (text.partition("\n")[0], "open", "", text)
        return Issue(
            number=number,
            url=self._path(number).as_uri(),
            title=title,
            body=body.partition(_COMMENT)[0],
            state="open" if state == "open" else "closed",
            state_reason={"open": "", "closed": "completed"}.get(state, "not_planned"),
            labels=tuple(label.strip() for label in (labels or "").split(",") if label.strip()),
            assignees=(),
            closed_at=None,
        )

    def close_issue(self, number: int, reason: Literal["completed", "not_planned"] = "completed") -> Issue:
        """Close the issue. Idempotent."""
        word = "closed" if reason == "completed" else "not planned"
        self._write(number, re.sub(r"\A(# .*\n\n)_open_", rf"\1_{word}_", self._read(number)))
        return self.get_issue(number)

    def edit_issue(self, number: int, body: str) -> Issue:
        """Replace the text, and keeps state, labels and comments."""
        text = self._read(number)
        head = _HEAD.match(text)
        _, *comments = text.split(_COMMENT)
        kept = text[: head.start("body")] if head else ""
        self._write(number, _COMMENT.join((f"{kept}{body.strip()}\n", *comments)))
        return self.get_issue(number)

    def retitle_issue(self, number: int, title: str) -> Issue:
        """Replace the title; the same again changes nothing. A file that people wrote without one gets a head."""
        text = self._read(number)
        rest = text.partition("\n")[2]
        titled = f"# {' '.join(title.split())}\n{rest}" if _HEAD.match(text) else _written(title, "open", (), text)
        self._write(number, titled)
        return self.get_issue(number)

    def comment(self, number: int, body: str) -> Comment:
        """A new comment. Repeated, it makes a second one: look with `find_comment` first."""
        text = self._read(number)
        self._write(number, text.rstrip("\n") + _COMMENT + body.strip() + "\n")
        return Comment(text.count(_COMMENT) + 1, self._path(number).as_uri(), body)

    def find_comment(self, number: int, marker: str) -> Comment | None:
        """The first comment that holds the marker."""
        comments = self._read(number).split(_COMMENT)[1:]
        url = self._path(number).as_uri()
        return next((Comment(n, url, text) for n, text in enumerate(comments, 1) if marker in text), None)

    def _numbers(self) -> list[int]:
        """Return the numbers of all issues. `glob` would take a folder that may not be read for an empty one."""
        try:
            paths = list(self._folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _failed("list", error) from None
        return [int(path.stem) for path in paths if path.suffix == ".md" and path.stem.isdigit()]

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:04}.md"

    def _read(self, number: int) -> str:
        try:
            return self._path(number).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise VendorNotFound("tracker", "read", f"issue {number} not found", code="not_found") from None
        except OSError as error:
            raise _failed("read", error) from None

    def _write(self, number: int, text: str) -> None:
        """Replace the file in one step: readers see the old text or the new one."""
        part = self._path(number).with_suffix(".part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(self._path(number))
        except OSError as error:
            raise _failed("write", error) from None


def _written(title: str, state: str, labels: Sequence[str], body: str) -> str:
    named = f" · {', '.join(labels)}" if labels else ""
    return f"# {' '.join(title.split())}\n\n_{state}_{named}\n\n{body.strip()}\n"


def _failed(operation: str, error: OSError) -> VendorUnavailable | VendorUnauthorized:
    kind = VendorUnauthorized if isinstance(error, PermissionError) else VendorUnavailable
    return kind("tracker", operation, one_line(str(error)), code="io")
