"""The faults of a run, in order. They depend on the seed only."""

import random
from dataclasses import dataclass
from enum import StrEnum

LONG_STOP = 11.0
"""Seconds: longer than an activity's start-to-close and than a workflow task's time-out, which are 10 s."""


class Action(StrEnum):
    """What is done to a process."""

    KILL = "SIGKILL"
    STOP = "SIGSTOP"


class Target(StrEnum):
    """Which worker it is done to: the one that holds the incident, or the other one."""

    HOLDER = "holder"
    OTHER = "other"


@dataclass(frozen=True)
class Step:
    """One fault. Times are in seconds.

    `pause`: before it. `hold`: how long a stopped process stays so. `burst`: every reader asks right afterwards.
    `wait`: the next step waits for an answer. `restart`: how long until a killed worker's replacement starts.
    """

    action: Action
    target: Target
    pause: float
    hold: float = 0.0
    burst: bool = False
    wait: bool = False
    restart: float = 0.0


def plan(seed: int, kills: int) -> list[Step]:
    """Return the steps of one run: so many kills, and a SIGSTOP after about every third."""
    chance = random.Random(seed)
    steps: list[Step] = []
    for _ in range(kills):
        steps.append(_kill(chance))
        if chance.random() < 0.35:
            steps.append(_stop(chance))
    return steps


def _kill(chance: random.Random) -> Step:
    return Step(
        Action.KILL,
        Target.HOLDER,
        pause=chance.uniform(0.5, 2.5),
        burst=chance.random() < 0.6,
        wait=chance.random() < 0.4,
        restart=chance.choice((0.0, 0.0, 0.5, 1.5)),
    )


def _stop(chance: random.Random) -> Step:
    long = chance.random() < 0.15
    return Step(
        Action.STOP,
        chance.choice((Target.HOLDER, Target.HOLDER, Target.OTHER)),
        pause=chance.uniform(0.5, 2.0),
        hold=LONG_STOP if long else chance.uniform(1.2, 3.0),
        burst=chance.random() < 0.5,
    )
