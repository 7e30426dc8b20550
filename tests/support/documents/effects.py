"""docs/effects.md: the table of every request, made from what the requests declare."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.core.repeats import RepeatKind
from workflows.activity_options import ACTIVITIES, FINDINGS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "effects.md"
BEGIN, END = "<!-- begin: made from the requests by `make effects` -->", "<!-- end -->"


def all_requests() -> list[type[ActivityRequest[Any]]]:
    """Every kind of request that an activity fulfils, those with an effect that may happen again last."""
    order = list(RepeatKind)
    return sorted({**ACTIVITIES, **FINDINGS}, key=lambda kind: order.index(kind.repeat.kind))


def with_effect() -> list[type[ActivityRequest[Any]]]:
    """Those that change something outside."""
    return [kind for kind in all_requests() if kind.repeat.has_effect]


def _first_sentence(kind: type[ActivityRequest[Any]]) -> str:
    said = " ".join((kind.__doc__ or "").split())
    return said.partition(". ")[0].removesuffix(".").replace("|", "\\|")


def _rows() -> Iterator[str]:
    yield "| Effect | Request | A second attempt | Recognized by |"
    yield "| --- | --- | --- | --- |"
    for kind in with_effect():
        repeat = kind.repeat
        yield f"| {_first_sentence(kind)} | `{kind.__name__}` | {repeat.kind} | {repeat.known_by} |"


def generated(text: str) -> str:
    """The document with its table made anew; everything else is kept."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readers = ", ".join(f"`{kind.__name__}`" for kind in all_requests() if not kind.repeat.has_effect)
    table = "\n".join(_rows())
    return f"{before}{BEGIN}\n{table}\n\nThese only read: {readers}.\n{END}{after}"
