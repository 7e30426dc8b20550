"""Blameless check: find sentences that may blame a person (runbook, "Post-Mortem Process").

A pattern check. It points out sentences to reconsider and never blocks publication.
"""

import re

from incidents.domain.core.base import Frozen
from incidents.domain.postmortem.document.sections import Document

_BLAMING = (
    (r"\b(?:human|operator|user|engineer|developer)(?:'s)? error\b", "names a person as the cause"),
    (r"\b(?:careless|sloppy|lazy|negligent|incompetent|stupid|foolish|reckless)\w*", "judges a person"),
    (r"\b(?:should|could|ought to) have (?:known|noticed|checked|tested|seen|caught|asked|read)\b", "is hindsight"),
    (r"\b(?:forgot|neglected|failed|refused|didn't bother) to\b", "says what a person failed to do"),
    (r"\b(?:his|her|their|\w+'s) (?:fault|mistake|blunder|negligence)\b", "assigns fault"),
    (r"\b(?:is|are|was|were) to blame\b|\bblame[sd]?\b", "assigns blame"),
    (r"\bnobody (?:cared|bothered)\b|\bdidn't care\b", "judges people"),
    (r"\bobvious(?:ly)?\b", "is hindsight"),
)
_SHOWN = 3
"""Sentences that one warning lists."""


class Blame(Frozen):
    """A sentence that may blame: its section, the matching words, and the reason."""

    section: str
    sentence: str
    words: str
    why: str


def find_blame(document: Document, more: tuple[str, ...] = ()) -> tuple[Blame, ...]:
    """Return the sentences that may blame a person, each once. `more`: additional phrases from runbook.yaml."""
    phrases = [*_BLAMING, *((rf"\b{re.escape(words)}\b", "is on the list in runbook.yaml") for words in more)]
    sections = {
        "summary": (document.summary,),
        "whys": document.whys,
        "root cause": (document.root_cause,),
        "what went well": document.well,
        "what could be better": document.better,
        "action items": tuple(f"{item.title}. {item.outcome}" for item in document.items),
    }
    found = {
        (section, sentence.strip()): blame
        for section, texts in sections.items()
        for text in texts
        for sentence in re.split(r"(?<=[.!?])\s+", text)
        if (blame := _first(section, sentence.strip(), phrases))
    }
    return tuple(found.values())


def _first(section: str, sentence: str, phrases: list[tuple[str, str]]) -> Blame | None:
    """Return the first pattern that matches a sentence: one warning per sentence is enough (behaviour 106)."""
    matches = ((re.search(pattern, sentence, re.IGNORECASE), why) for pattern, why in phrases)
    return next(
        (Blame(section=section, sentence=sentence, words=match[0], why=why) for match, why in matches if match), None
    )


def describe_new_blame(before: Document, after: Document, more: tuple[str, ...] = ()) -> str:
    """Return the warning about the sentences that an edit added, for the person who wrote them; "" if there is none."""
    known = {blame.sentence for blame in find_blame(before, more)}
    found = [blame for blame in find_blame(after, more) if blame.sentence not in known]
    said = "; ".join(f'"{blame.words}" {blame.why} ({blame.section}, "{blame.sentence}")' for blame in found[:_SHOWN])
    rest = f"; {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"Blameless check: {said}{rest}" if said else ""
