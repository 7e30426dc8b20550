"""When a page is acknowledged at the pager, and when it no longer is."""

from collections.abc import Iterable
from datetime import timedelta

from incidents.domain.apply_command import apply_command
from incidents.domain.incident.commands import Acknowledge, Monitor, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import repage_after_silence
from incidents.domain.obligation import ObligationKind
from incidents.domain.registry import spec_of
from tests.support.incidents import RUNBOOK, at, fulfil, keys, obligation, opened, settled


def test_a_page_that_is_open_is_acknowledged() -> None:
    incident = apply_command(settled(opened(), at(0)), Acknowledge(by="ann"), RUNBOOK, at(1))
    assert keys(incident, "page-ack/") == ["page-ack/0"]
    assert spec_of(obligation(incident, "page-ack/")).withdrawable, "a retry does not outlive the resolution"


def test_a_page_that_was_resolved_meanwhile_is_not_acknowledged() -> None:
    incident = apply_command(settled(opened(), at(0)), Monitor(by="ann", text="Better."), RUNBOOK, at(1))
    assert obligation(incident, "page-resolve/").kind is ObligationKind.RESOLVE_PAGE
    incident = settled(incident, at(1))
    late = apply_command(incident, Acknowledge(by="ann"), RUNBOOK, at(2))
    assert late.paging.attended
    assert keys(late, "page-ack/") == []


def repaged(times: int, *, resolves: bool = True) -> Incident:
    """An incident whose on-call was paged so often, and acknowledged each time and then fell silent."""
    incident = settled(opened(), at(0))
    for number in range(times):
        incident = repage_after_silence(incident, at(number), timedelta(minutes=30))
        incident = settled(incident, at(number)) if resolves else fulfil(incident, obligation(incident, "page/"), at(0))
    return incident


def resolutions(found: Iterable[str]) -> list[str]:
    """The keys of resolutions of pages to on-call."""
    return [key for key in found if key.startswith("page-resolve/") and "escalate" not in key]


def test_after_many_re_pages_the_oldest_pages_are_resolved() -> None:
    assert not resolutions(repaged(10).ledger.fulfilled)
    many = repaged(14)
    assert resolutions(many.ledger.fulfilled) == [f"page-resolve/{number}" for number in range(4)]
    over = settled(apply_command(many, Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(20)), at(20))
    assert sorted(resolutions(over.ledger.fulfilled)) == sorted(f"page-resolve/{n}" for n in range(15)), "each once"


def test_however_many_pages_are_open_they_are_resolved_a_few_at_a_time() -> None:
    over = apply_command(repaged(40, resolves=False), Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(50))
    assert len(resolutions(keys(over))) == 10
    assert len(resolutions(settled(over, at(50)).ledger.fulfilled)) == 41
