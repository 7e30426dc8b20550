"""What an incident need not carry of its earlier re-pages: calls and keys that no rule looks at any more."""

from collections.abc import Iterator

from incidents.domain.config.communication import Reach
from incidents.domain.core.keys import Key
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.keys import acknowledgement_key, is_page_update, on_call_key, resolve_key
from incidents.domain.paging.state import Call


def may_be_open(incident: Incident, call: Call) -> bool:
    """Tell whether a page may be open at the pager: it went out, or its attempt has no known result."""
    return call.key in incident.ledger.fulfilled or incident.ledger.is_begun(call.key)


def earlier_calls(incident: Incident) -> tuple[Call, ...]:
    """Return the calls of the re-pages before this one: of them it only matters whether a page may still be open."""
    count = incident.paging.repage_count
    return tuple(call for call in incident.paging.calls if call.calling is not None and call.calling < count)


def open_callings(incident: Incident) -> tuple[int, ...]:
    """Return the numbers of the re-pages whose page may be open at the pager, or was before it was resolved."""
    at_hand = (c.calling for c in incident.paging.calls if c.calling is not None and may_be_open(incident, c))
    return tuple(sorted({*incident.paging.open_pages, *at_hand}))


def without_calls(incident: Incident, calls: tuple[Call, ...]) -> Incident:
    """Return the incident without these calls; it still knows whose page may be open."""
    done = incident.ledger.fulfilled
    still = (
        call.calling
        for call in calls
        if call.calling is not None and may_be_open(incident, call) and resolve_key(call.calling) not in done
    )
    left = tuple(call for call in incident.paging.calls if call not in calls)
    pages = tuple(dict.fromkeys((*incident.paging.open_pages, *still)))
    return incident.replace(paging=incident.paging.replace(calls=left, open_pages=pages))


def spent_pages(incident: Incident) -> Iterator[Key]:
    """Yield the keys of earlier re-pages whose calls are in the archive."""
    at_hand = {call.calling for call in incident.paging.calls}
    severities = tuple(dict.fromkeys(episode.severity for episode in incident.episodes))
    for calling in range(incident.paging.repage_count):
        if calling not in at_hand:
            for key in (Key("page", calling, severity) for severity in severities):
                yield from (key, *(key.under(reach) for reach in (Reach.SLACK, Reach.EMAIL)))


def spent_lookups(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the questions who is on call, of earlier re-pages, that are answered."""
    asked = (on_call_key(calling) for calling in range(incident.paging.repage_count))
    yield from (key for key in asked if incident.ledger.settled(key))


def spent_acknowledgements(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the acknowledgements of earlier re-pages."""
    yield from (acknowledgement_key(calling) for calling in range(incident.paging.repage_count))


def spent_resolutions(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the resolutions of earlier pages that are known to be closed."""
    paging = incident.paging
    kept = {*paging.open_pages, *paging.superseded, *(call.calling for call in paging.calls)}
    yield from (resolve_key(calling) for calling in range(paging.repage_count) if calling not in kept)


def spent_updates(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the updates of earlier pages."""
    updates = (key for key in incident.ledger.keys if is_page_update(key))
    yield from (key for key in updates if key.parts[0] != str(incident.paging.repage_count))
