"""How many incidents a worker keeps in memory, so that each wakes without a replay of its history."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

BYTES_PER_WORKFLOW = 400_000
"""What one open incident takes in a worker, with room to spare: `make bench BENCH=fleet` prints what it is."""
SHARE = 0.5
"""Of the memory that the worker may have; the rest is for its own code, activities and replays."""
FEWEST, MOST = 100, 20_000
"""100 take 40 MB: more would not fit into the smallest containers. What is not kept is replayed when it wakes."""
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit is: of cgroup version 2, and of version 1."""


def cached_workflows(memory: int) -> int:
    """Return how many workflows to keep. `memory`: bytes that the worker may have."""
    return min(max(int(memory * SHARE) // BYTES_PER_WORKFLOW, FEWEST), MOST)


def memory_limit(cgroups: Sequence[Path] = _CGROUPS) -> int:
    """Return the bytes of memory that this process may have: its container's limit, or the machine's."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in cgroups:
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            limits.append(int(path.read_text(encoding="ascii")))
    return min(limits)
