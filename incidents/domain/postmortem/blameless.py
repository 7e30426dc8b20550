"""Blameless: a post-mortem says what made a fault possible, never whose fault it was (runbook, "Post-Mortem Process").

A check by form. It points at sentences for people to look at again; it forbids nothing.
"""

import re

from incidents.domain.core.base import Frozen
from incidents.domain.postmortem.document import Document

_BLAMING = (
    (r"\b(?:human|operator|user|engineer|developer)(?:'s)? error\b", "names a person as the cause"),
    (r"\b(?:careless|sloppy|lazy|negligent|incompetent|stupid|foolish|reckless)\w*", "judges a person"),
    (r"\b(?:should|could|ought to) have (?:known|noticed|checked|tested|seen|caught|asked|read)\b", "is hindsight"),
    (r"\b(?:forgot|neglected|failed|refused|didn't bother) to\b", "tells what somebody did not do"),
    (r"\b(?:his|her|their|\w+'s) (?:fault|mistake|blunder|negligence)\b", "says whose fault it was"),
    (r"\b(?:is|are|was|were) to blame\b|\bblame[sd]?\b", "blames"),
    (r"\bnobody (?:cared|bothered)\b|\bdidn't care\b", "judges people"),
    (r"\bobvious(?:ly)?\b", "was not obvious to those who were there"),
)


class Blame(Frozen):
    """A sentence that may blame: where it stands, the sentence, the words, and what is wrong with them."""

    section: str
    sentence: str
    words: str
    why: str


def find_blame(document: Document, more: tuple[str, ...] = ()) -> tuple[Blame, ...]:
    """Return the sentences that may blame somebody. `more`: further phrases, from runbook.yaml."""
    phrases = [*_BLAMING, *((rf"\b{re.escape(words)}\b", "is on the runbook's list") for words in more)]
    sections = {
        "summary": (document.summary,),
        "whys": document.whys,
        "root cause": (document.root_cause,),
        "what went well": document.well,
        "what could be better": document.better,
        "action items": tuple(f"{item.title}. {item.outcome}" for item in document.items),
    }
    return tuple(
        Blame(section=section, sentence=sentence.strip(), words=found[0], why=why)
        for section, texts in sections.items()
        for text in texts
        for sentence in re.split(r"(?<=[.!?])\s+", text)
        for pattern, why in phrases
        if (found := re.search(pattern, sentence, re.IGNORECASE))
    )
