"""Suggest the blast radius from what probes and metrics measured; a person confirms it by assessing the incident."""

from pydantic import Field

from incidents.domain.core.base import Frozen


class RegionProbed(Frozen):
    """What the probes found of a region. `healthy`: None if they measured nothing."""

    name: str
    healthy: bool | None


class BlastRadius(Frozen):
    """What was measured. None is "not known", never zero.

    `requests`: the share of requests that fail, from 0 to 1. `customers`: how many were seen failing.
    """

    regions: tuple[RegionProbed, ...] = ()
    requests: float | None = Field(default=None, ge=0, le=1)
    customers: int | None = Field(default=None, ge=0)


def suggest_blast_radius(found: BlastRadius) -> str:
    """Return the suggestion, such as `1 of 2 regions failing (eu), 12% of requests`; "" if nothing was seen failing."""
    failing = [region.name for region in found.regions if region.healthy is False]
    if not (failing or found.requests or found.customers):
        return ""
    parts = [_regions(found.regions, failing)] if found.regions else []
    if found.requests is not None:
        parts.append(f"{_percent(found.requests)} of requests failing")
    if found.customers is not None:
        parts.append(f"{found.customers} {'customer' if found.customers == 1 else 'customers'} seen failing")
    return ", ".join(parts)


def _regions(regions: tuple[RegionProbed, ...], failing: list[str]) -> str:
    named = f" ({', '.join(failing)})" if failing else ""
    unknown = [region.name for region in regions if region.healthy is None]
    rest = f"; not measured: {', '.join(unknown)}" if unknown else ""
    return f"{len(failing)} of {len(regions)} regions failing{named}{rest}"


def _percent(share: float) -> str:
    """Return a share in percent; what is above zero never reads as 0%."""
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"
