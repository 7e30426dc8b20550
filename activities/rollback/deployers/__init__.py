"""Deployers: the adapters of `activities.ports.Deployer` (docs/extending.md), and what they return."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ordered:
    """An ordered deployment: its deployer's reference, and how it was ordered, as text."""

    reference: str
    how: str


@dataclass(frozen=True)
class Standing:
    """Status of an ordered deployment. `failed`: why it failed; `says`: text for the timeline."""

    done: bool
    failed: str = ""
    summary: str = ""
