"""Strategies for payloads that somebody broke, carelessly or on purpose: real samples with hostile values in them."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

TIMES = st.sampled_from(
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:59.999999Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23T14:00:00",
        "2026-11-23T14:00:00+99:99",
        "-62135596800",
        "P1D",
        "",
    ]
) | st.datetimes(timezones=st.timezones()).map(lambda instant: instant.isoformat())
"""Instants: the zero times of languages, the ends of the calendar, offsets, what is no time at all."""

TEXTS = (
    st.sampled_from(["", "\ud800", "\udc80x", "\x00", "\u202egnp\u2066", "\x1b[2J", "a\r\nb", "🔥" * 300, "x" * 5000])
    | st.sampled_from(["../../etc", "{SEVERITY}", "%s%n", "<!here>", "a/b:c", "'; --", "🔥" * 60, "\u2028", "9" * 400])
    | st.text(max_size=20)
)
NUMBERS = st.sampled_from([0, -1, 2**63, 10**400, 1e308, float("nan"), float("inf"), -0.0]) | st.integers()
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS | TIMES
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in the document: what holds it, and the key or index there."""
    parts = document.items() if isinstance(document, dict) else enumerate(document)
    for key, part in list(parts):
        yield document, key
        if isinstance(part, dict | list):
            yield from _places(part)


@st.composite
def broken(draw: st.DrawFn, sample: Any, values: st.SearchStrategy[Any] = VALUES, most: int = 3) -> Any:
    """The sample, with up to `most` of its values replaced, taken away, doubled, or joined by ones that it lacks."""
    document = copy.deepcopy(sample)
    for _ in range(draw(st.integers(0, most))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "replace", "replace", "drop", "double", "add"])):
            case "drop":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case "add" if isinstance(holder, dict):
                holder[draw(TEXTS)] = draw(values)
            case _:
                holder[key] = draw(values)
    return document


@st.composite
def encoded(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """Documents as bytes: escaped or not, in several encodings, sometimes cut short, or no JSON at all."""
    text = json.dumps(draw(documents), ensure_ascii=draw(st.booleans()))
    raw = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig"])), "surrogatepass")
    match draw(st.sampled_from(["whole"] * 8 + ["cut", "deep", "long", "any"])):
        case "cut":
            return raw[: draw(st.integers(0, len(raw)))]
        case "deep":
            return draw(st.sampled_from([b"[", b'{"a":', b'{"alerts":['])) * draw(st.sampled_from([900, 5000]))
        case "long":
            return b'{"title": "x", "n": ' + b"9" * draw(st.sampled_from([4000, 5000])) + b"}"
        case "any":
            return draw(st.binary(max_size=100))
    return raw
