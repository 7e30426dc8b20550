"""Render the post-mortem as Markdown with tables, and parse it back.

Written sections have their own headings and are parsed back; computed parts are rewritten each time, discarding edits.
`parse(render(document)) == document` for a document in `plain` form.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidents.domain.core.base import Frozen
from incidents.domain.core.text.escaping import github_line, markdown_address, mermaid_label
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.time.instants import day_fault
from incidents.domain.evidence.audit import timeline_head
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import DEFINITIONS
from incidents.domain.postmortem.document.blameless import Blame
from incidents.domain.postmortem.document.reconstructed_timeline import TimelineRow
from incidents.domain.postmortem.document.sections import (
    LARGEST,
    ActionItem,
    Cause,
    Document,
    too_large,
)
from incidents.domain.postmortem.figures.impact import Figures

_PLACEHOLDER = "_To be written"
"""Prefix of a placeholder for an unwritten section."""
_COMPUTED = 5
"""Largest file relative to the written text (the file also holds the timeline)."""


class Page(Frozen):
    """Content of the file. `chart`: file name of the chart; "" without metrics."""

    incident: Incident
    document: Document
    owner: str
    due: str
    standing: str
    impact: str
    figures: Figures
    rows: tuple[TimelineRow, ...]
    gaps: tuple[str, ...] = ()
    chart: str = ""
    blames: tuple[Blame, ...] = ()
    review: str = ""


class Unreadable(Exception):
    """The file cannot be parsed; the message says where and why."""


def line(text: object) -> str:
    """Return a text on one line."""
    return " ".join(str(text).split())


def cell(text: object) -> str:
    """Return Markdown that people write, which is read back, for a table cell."""
    return line(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _prose(text: str) -> str:
    """Escape headings and placeholders in paragraphs."""
    return re.sub(r"^(?=#|_To be written)", r"\\", text.strip(), flags=re.MULTILINE)


def _code(text: object) -> str:
    """Return a text for a span of code in a table or list: nothing in it ends the span."""
    return line(text).replace("`", "'")


def _instant(at: datetime) -> str:
    """Return an instant in UTC digits, which Mermaid shows unchanged in any time zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


# It writes Markdown, whose own escaping the filters do.
_ENVIRONMENT = Environment(  # nosec B701
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
    "label": mermaid_label,
    "text": github_line,
    "instant": _instant,
    "address": markdown_address,
    "code": _code,
}


def render(page: Page) -> str:
    """Render the file."""
    document = plain(page.document)
    return _ENVIRONMENT.get_template("postmortem.md.j2").render(
        page=page,
        incident=page.incident,
        head=timeline_head(page.incident),
        document=document,
        figures=page.figures,
        placeholder=_PLACEHOLDER,
        marks=_marks(page),
        definitions=DEFINITIONS,
    )


def _marks(page: Page) -> list[tuple[str, datetime]]:
    """Return the milestones of the chart."""
    incident = page.incident
    known = [
        *((m.what.partition(":")[0], m.at) for m in page.rows if m.source == "deployments"),
        ("acknowledged", incident.first_acknowledged_at),
        ("mitigated", incident.mitigated_at),
        ("resolved", incident.resolved_at),
    ]
    return [(name, at) for name, at in known if at is not None]


def plain(document: Document) -> Document:
    """Normalize the document as the file stores it: list entries and cells on one line, no blanks."""

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
    """Parse the file into a document. Program fields of action items are kept from `old`.

    `base`: the version that the file was edited from, if older than `old`.

    Raises:
        Unreadable: a heading is missing, or a table row is malformed.
    """
    if len(markdown) > LARGEST * _COMPUTED:
        raise Unreadable(f"The file has {len(markdown):,} characters; link to long material instead.")
    sections = _sections(markdown.replace("\r\n", "\n"))
    required = ("Summary", "Root cause", "What went well", "What could be better", "Action items")
    if absent := [name for name in required if name not in sections]:
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
        raise Unreadable(f"The written sections exceed {LARGEST:,} characters; link to long material instead.")
    return read


def _sections(markdown: str) -> dict[str, str]:
    parts = re.split(r"^## +(.+?) *$", markdown, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _filled(text: str) -> list[str]:
    return [row for row in text.strip().splitlines() if not row.strip().startswith(_PLACEHOLDER)]


def _unprose(text: str) -> str:
    return re.sub(r"^\\(?=#|_To be written)", "", "\n".join(_filled(text)).strip(), flags=re.MULTILINE)


def _bullets(text: str) -> tuple[str, ...]:
    return _entries(text, r"[-*+] +(.*)")


def _entries(text: str, pattern: str) -> tuple[str, ...]:
    """Return the entries of a list; other lines continue the entry above."""
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
                raise Unreadable(f'"{match[1]}" is not a cause category; use one of {", ".join(Cause)}.') from None
        elif match := re.fullmatch(r"\*\*Root cause:\*\* *(.*)", row.strip()):
            root = "" if match[1].startswith(_PLACEHOLDER) else match[1]
        else:
            rest.append(row)
    return cause, root, _entries("\n".join(rest), r"\d+[.)] +(.*)")


def _items(text: str, old: Document, base: Document) -> tuple[tuple[ActionItem, ...], str]:
    rows = [row.strip() for row in text.splitlines() if row.strip().startswith("|")][2:]
    items: list[ActionItem] = []
    for row in rows:
        cells = [_uncell(part) for part in re.split(r"(?<!\\)(?:\\\\)*\|", row)[1:-1]]
        if len(cells) != 7:
            raise Unreadable(f"An action item row needs 7 cells but has {len(cells)}: {row[:80]}")
        if cells[1]:
            items.append(_item(cells, old, items))
    there = {item.id for item in items}
    gone = [item for item in old.items if item.issue is not None and base.item(item.id) and item.id not in there]
    if gone:
        raise Unreadable(
            f"Action item {gone[0].id} has an issue and cannot be removed; mark it done or won't do instead."
        )
    because = re.search(r"^\*\*No action items because:\*\* *(.*)$", text, re.MULTILINE)
    return tuple(items), because[1] if because and not because[1].startswith(_PLACEHOLDER) else ""


def _item(cells: list[str], old: Document, before: list[ActionItem]) -> ActionItem:
    number, title, owner, due, outcome = cells[:5]
    try:
        known = old.item(int(number)) if number else None
        day = date.fromisoformat(due) if due else None
        free = max([old.next_id, *(item.id + 1 for item in before)])
        item = known or ActionItem(id=int(number) if number else free, title=title)
    except ValueError:
        raise Unreadable(f'Action item "{title}" has an invalid number or date (use 2026-12-31).') from None
    if why := day_fault(day):
        raise Unreadable(f'Action item "{title}": {why}.')
    if item.id in {other.id for other in before}:
        raise Unreadable(f"Action item number {item.id} is used twice.")
    return item.replace(title=title[:200], owner=owner[:100], due=day, outcome=outcome[:500])


_ESCAPED: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("&lt;", "<"),
    lambda text: re.sub(r"\\([\\|])", r"\1", text),
)


def _uncell(text: str) -> str:
    for undo in _ESCAPED:
        text = undo(text)
    return text.strip()
