"""Programs run in the test's own process: only the end of the process is replaced."""

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest


@dataclass(frozen=True)
class Said:
    """How a program ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.out)

    @property
    def why(self) -> str:
        """The one line that it wrote to standard error."""
        [line] = self.err.strip().splitlines()
        return line


Run = Callable[..., Said]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return `run(main, *words, given=b"")`, which runs a program's main with these arguments and standard input."""

    def leave(status: int) -> NoReturn:
        raise SystemExit(status)

    def run(main: Callable[[], Any], *words: str, given: bytes = b"") -> Said:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(os, "_exit", leave)
            patch.setattr(sys, "argv", ["program", *words])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8", "replace"))
            with pytest.raises(SystemExit) as end:
                main()
        out, err = capsys.readouterr()
        return Said(int(end.value.code or 0), out, err)

    return run
