"""What reached the vendors: one line for each effect, in a file that outlives every worker; and the evidence store."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from incidents.domain.evidence.archive import ChunkMissing


@dataclass(frozen=True)
class ActivityRequest:
    """One effect: the activity's name, the request's idempotency key, and the attempt that had it."""

    name: str
    key: str
    attempt: int


@dataclass(frozen=True)
class Ledger:
    """A file that several processes append to."""

    path: Path

    def append(self, effect: ActivityRequest) -> None:
        """Add one effect. It is on the disk when this returns: a SIGKILL afterwards does not undo it."""
        line = json.dumps(asdict(effect)) + "\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
            os.fsync(file)
        finally:
            os.close(file)

    def effects(self) -> list[ActivityRequest]:
        """Return every effect so far, in order."""
        if not self.path.exists():
            return []
        return [ActivityRequest(**json.loads(line)) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def keep(self, path: str, text: str) -> None:
        """Write a document to the evidence store, which is beside this file."""
        place = self._store / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def kept(self, path: str) -> bytes:
        """Return a document of the evidence store.

        Raises:
            ChunkMissing: it is not there.
        """
        place = self._store / path
        if not place.exists():
            raise ChunkMissing("there is no such file")
        return place.read_bytes()

    @property
    def _store(self) -> Path:
        return self.path.parent / "evidence"

    def has(self, key: str) -> bool:
        """Tell whether the effect of that key was had."""
        return any(effect.key == key for effect in self.effects())
