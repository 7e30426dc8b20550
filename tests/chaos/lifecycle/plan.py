"""The faults of a run, in order. They depend on the seed only; when they strike depends on the run."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.chaos.plan import Action

SHORTEST_STOP, LONGEST_STOP = 1.0, 13.0
"""Seconds of a SIGSTOP. An activity's attempt and a workflow task have ten."""
PROCESSES = ("worker-1", "worker-2", "worker-1", "worker-2", "gateway", "temporal", "vendors")
"""What is killed or stopped; the workers twice as often. The vendors: their front, not what they know."""
VENDORS = ("slack", "slack", "sendgrid", "statuspage", "statuspage", "github", "pagerduty", "zoom", "ops_portal")
GARBAGE = "<html><body>502 Bad Gateway, please hold the line</body></html>"


@dataclass(frozen=True)
class ProcessFault:
    """A process is killed, and started again after `seconds`; or stopped for `seconds`. `pause`: before it."""

    process: str
    action: Action
    pause: float
    seconds: float

    @property
    def name(self) -> str:
        """How a report counts it."""
        return f"{self.action} {self.process.partition('-')[0]}"


@dataclass(frozen=True)
class VendorFault:
    """A vendor answers wrongly; `order` is the sandbox's. `pause`: before it."""

    kind: str
    order: dict[str, Any]
    pause: float

    @property
    def name(self) -> str:
        """How a report counts it."""
        return self.kind


Fault = ProcessFault | VendorFault


def plan(seed: int, count: int) -> list[Fault]:
    """Return so many faults: about as many of processes as of vendors."""
    return list(_faults(random.Random(seed), count))


def _faults(chance: random.Random, count: int) -> Iterator[Fault]:
    for _ in range(count):
        pause = chance.uniform(0.5, 5.0)
        yield _process_fault(chance, pause) if chance.random() < 0.5 else _vendor_fault(chance, pause)


def _process_fault(chance: random.Random, pause: float) -> ProcessFault:
    process = chance.choice(PROCESSES)
    if chance.random() < 0.4:
        return ProcessFault(process, Action.STOP, pause, chance.uniform(SHORTEST_STOP, LONGEST_STOP))
    return ProcessFault(process, Action.KILL, pause, chance.choice((0.0, 0.5, 2.0, 5.0)))


def _vendor_fault(chance: random.Random, pause: float) -> VendorFault:
    kind = chance.choice(("429", "500", "timeout", "lost reply", "late effect", "reset", "garbage"))
    order = {"vendor": chance.choice(VENDORS), "times": chance.choice((1, 1, 2, 3)), **_order(kind, chance)}
    return VendorFault(kind, order, pause)


def _order(kind: str, chance: random.Random) -> dict[str, Any]:
    match kind:
        case "429":
            return {"kind": "rate_limit", "retry_after": chance.choice((1, 2, 3))}
        case "500":
            return {"kind": "status", "status": chance.choice((500, 502, 503))}
        case "timeout":
            return {"kind": "timeout", "retry_after": 30}
        case "lost reply":
            return {"kind": "lost_reply"}
        case "late effect":  # after our time-out of 5 s, and before the next attempt looks, 15 s later
            return {"kind": "late", "retry_after": chance.choice((6, 8, 12)), "times": 1}
        case "reset":
            return {"kind": "reset"}
        case "garbage":  # the effect happens: an answer that says so wrongly cannot be told from one that lies
            return {"kind": "lost_reply", "status": 200, "body": GARBAGE}
        case _:
            raise ValueError(f"no such fault: {kind}")
