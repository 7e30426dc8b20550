"""The post-mortem as one GitHub-flavoured Markdown file, and back.

What people write stands below headings of its own and is read back from there; what is computed is written anew each
time, whatever somebody changed in it. `parse(render(document)) == document`, for a document in `plain` form.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidents.domain.core.base import Frozen
from incidents.domain.core.duration import in_words
from incidents.domain.core.instants import day_fault
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.blameless import Blame
from incidents.domain.postmortem.document import (
    LARGEST,
    ActionItem,
    Cause,
    Document,
    too_large,
)
from incidents.domain.postmortem.impact import Figures
from incidents.domain.postmortem.reconstructed_timeline import TimelineRow

_HOLE = "_To be written"
"""How a place begins that nobody has filled yet."""
_COMPUTED = 5
"""How much larger the file may be than what people wrote: it holds the timeline, too."""


class Page(Frozen):
    """Everything that the file says. `chart`: the name of the picture beside it; "" if nothing was measured."""

    incident: Incident
    document: Document
    owner: str
    due: str
    standing: str
    impact: str
    figures: Figures
    moments: tuple[TimelineRow, ...]
    gaps: tuple[str, ...] = ()
    chart: str = ""
    blames: tuple[Blame, ...] = ()
    review: str = ""


class Unreadable(Exception):
    """The file cannot be read back; the message says where and why."""


def line(text: object) -> str:
    """Return a text on one line."""
    return " ".join(str(text).split())


def cell(text: object) -> str:
    """Return a text within its table cell."""
    return line(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _prose(text: str) -> str:
    """Return paragraphs that hold no heading and no hole."""
    return re.sub(r"^(?=#|_To be written)", r"\\", text.strip(), flags=re.MULTILINE)


def _label(text: object) -> str:
    """Return a text as Mermaid takes it in a task's name: it ends at a colon, and some signs mean something."""
    return line(re.sub(r"[^\w .,()/%+-]", " ", str(text)))[:60]


def _instant(at: datetime) -> str:
    """Return an instant as digits of UTC, which Mermaid shows as they are, whatever the reader's zone is."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


_ENVIRONMENT = Environment(
    loader=PackageLoader("incidents.domain.postmortem"),
    undefined=StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {
    "cell": cell,
    "line": line,
    "prose": _prose,
    "words": in_words,
    "label": _label,
    "instant": _instant,
}


def render(page: Page) -> str:
    """Return the file's text."""
    document = plain(page.document)
    return _ENVIRONMENT.get_template("postmortem.md.j2").render(
        page=page, incident=page.incident, document=document, figures=page.figures, hole=_HOLE, marks=_marks(page)
    )


def _marks(page: Page) -> list[tuple[str, datetime]]:
    """Return the milestones of the picture."""
    incident = page.incident
    known = [
        *((m.what.partition(":")[0], m.at) for m in page.moments if m.source == "deployments"),
        ("acknowledged", incident.acknowledged_at),
        ("mitigated", incident.mitigated_at),
        ("resolved", incident.resolved_at),
    ]
    return [(name, at) for name, at in known if at is not None]


def plain(document: Document) -> Document:
    """Return the document as a file can hold it: list entries and cells on one line, nothing blank."""

    def lines(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(found for text in texts if (found := line(text)))

    items = tuple(i.replace(title=line(i.title), owner=line(i.owner), outcome=line(i.outcome)) for i in document.items)
    return document.replace(
        summary="\n".join(part.rstrip() for part in document.summary.strip().splitlines()),
        whys=lines(document.whys),
        root_cause=line(document.root_cause),
        well=lines(document.well),
        better=lines(document.better),
        items=items,
        no_items_because=line(document.no_items_because) if not items else "",
    )


def parse(markdown: str, old: Document, base: Document | None = None) -> Document:
    """Return the document that the file holds. What only the program knows of action items is kept from `old`.

    `base`: the document as whoever edited the file saw it, if that is older than `old`.

    Raises:
        Unreadable: a heading is missing, or a table's row cannot be understood.
    """
    if len(markdown) > LARGEST * _COMPUTED:
        raise Unreadable(f"It has {len(markdown):,} characters: link to what is long.")
    sections = _sections(markdown.replace("\r\n", "\n"))
    wanted = ("Summary", "Root cause", "What went well", "What could be better", "Action items")
    if absent := [name for name in wanted if name not in sections]:
        raise Unreadable(f'The heading "## {absent[0]}" is missing.')
    cause, root, whys = _root(sections["Root cause"])
    items, because = _items(sections["Action items"], old, base or old)
    read = plain(
        Document(
            summary=_unprose(sections["Summary"]),
            cause=cause,
            whys=whys,
            root_cause=root,
            well=_bullets(sections["What went well"]),
            better=_bullets(sections["What could be better"]),
            items=items,
            no_items_because=because,
        )
    )
    if too_large(read):
        raise Unreadable("What people wrote is larger than anybody reads: link to what is long.")
    return read


def _sections(markdown: str) -> dict[str, str]:
    parts = re.split(r"^## +(.+?) *$", markdown, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _filled(text: str) -> list[str]:
    return [row for row in text.strip().splitlines() if not row.strip().startswith(_HOLE)]


def _unprose(text: str) -> str:
    return re.sub(r"^\\(?=#|_To be written)", "", "\n".join(_filled(text)).strip(), flags=re.MULTILINE)


def _bullets(text: str) -> tuple[str, ...]:
    return _entries(text, r"[-*+] +(.*)")


def _entries(text: str, pattern: str) -> tuple[str, ...]:
    """Return the entries of a list; a line that begins none goes on with the entry above it."""
    found: list[str] = []
    for row in _filled(text):
        if match := re.fullmatch(pattern, row.strip()):
            found.append(match[1])
        elif row.strip() and found:
            found[-1] += f" {row.strip()}"
    return tuple(entry for entry in found if entry.strip())


def _root(text: str) -> tuple[Cause, str, tuple[str, ...]]:
    cause, root, rest = Cause.UNKNOWN, "", []
    for row in _filled(text):
        if match := re.fullmatch(r"\*\*Kind of cause:\*\* *(.*)", row.strip()):
            try:
                cause = Cause(match[1].strip().lower() or "unknown")
            except ValueError:
                raise Unreadable(f'"{match[1]}" is no kind of cause: write {", ".join(Cause)}.') from None
        elif match := re.fullmatch(r"\*\*Root cause:\*\* *(.*)", row.strip()):
            root = "" if match[1].startswith(_HOLE) else match[1]
        else:
            rest.append(row)
    return cause, root, _entries("\n".join(rest), r"\d+[.)] +(.*)")


def _items(text: str, old: Document, base: Document) -> tuple[tuple[ActionItem, ...], str]:
    rows = [row.strip() for row in text.splitlines() if row.strip().startswith("|")][2:]
    items: list[ActionItem] = []
    for row in rows:
        cells = [_uncell(part) for part in re.split(r"(?<!\\)(?:\\\\)*\|", row)[1:-1]]
        if len(cells) != 7:
            raise Unreadable(f"An action item has 7 cells, not {len(cells)}: {row[:80]}")
        if cells[1]:
            items.append(_item(cells, old, items))
    there = {item.id for item in items}
    gone = [item for item in old.items if item.issue is not None and base.item(item.id) and item.id not in there]
    if gone:
        raise Unreadable(f"Action item {gone[0].id} has an issue and cannot be taken out: settle it instead.")
    because = re.search(r"^\*\*No action items because:\*\* *(.*)$", text, re.MULTILINE)
    return tuple(items), because[1] if because and not because[1].startswith(_HOLE) else ""


def _item(cells: list[str], old: Document, before: list[ActionItem]) -> ActionItem:
    number, title, owner, due, outcome = cells[:5]
    try:
        known = old.item(int(number)) if number else None
        day = date.fromisoformat(due) if due else None
        free = max([old.next_id, *(item.id + 1 for item in before)])
        item = known or ActionItem(id=int(number) if number else free, title=title)
    except ValueError:
        raise Unreadable(f'Of action item "{title}" the number or the date (2026-12-31) cannot be read.') from None
    if why := day_fault(day):
        raise Unreadable(f'Action item "{title}": {why}.')
    if item.id in {other.id for other in before}:
        raise Unreadable(f"There are two action items {item.id}.")
    return item.replace(title=title[:200], owner=owner[:100], due=day, outcome=outcome[:500])


_ESCAPED: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("&lt;", "<"),
    lambda text: re.sub(r"\\([\\|])", r"\1", text),
)


def _uncell(text: str) -> str:
    for undo in _ESCAPED:
        text = undo(text)
    return text.strip()
