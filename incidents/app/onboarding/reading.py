"""Make `Answers` of what was typed, or say what an answer must look like."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from incidents.app.onboarding.answers import Answers
from incidents.app.onboarding.questions import NEEDED, QUESTIONS
from incidents.domain.core.text.untrusted import one_line

_SAMPLES = {"company": "x", "services": "x", "on_call": "a@b"}
"""What is needed and comes later, while one answer is checked."""
_LONGEST = 60


class Unanswered(Exception):
    """An answer is missing or wrong. The message is one sentence and says what it must be."""


def read_answers(said: Mapping[str, str]) -> Answers:
    """Return the answers. `said`: by the field of `Answers`; empty ones are the defaults.

    Raises:
        Unanswered: one is missing or wrong.
    """
    if missing := [QUESTIONS[field] for field in QUESTIONS if field in NEEDED and not said.get(field)]:
        expected = "; ".join(f"{question.option} is {question.expected}" for question in missing)
        raise Unanswered(f"{' and '.join(question.option for question in missing)} must be given ({expected}).")
    fields: dict[str, Any] = {field: _parsed(field, text) for field, text in said.items() if text}
    try:
        return Answers.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = first["msg"].removeprefix("Value error, ") if first["type"] == "value_error" else ""
        raise Unanswered(_wrong(str(first["loc"][0]), said, reason) if first["loc"] else f"{reason}.") from None


def fault_of(field: str, answered: Mapping[str, str]) -> str:
    """Return what is wrong with the answer to one question, by those before it; "" if nothing is."""
    names = list(QUESTIONS)
    before = names[: names.index(field) + 1]
    try:
        read_answers(_SAMPLES | {name: text for name, text in answered.items() if name in before})
    except Unanswered as fault:
        return str(fault)
    return ""


def _wrong(field: str, said: Mapping[str, str], reason: str) -> str:
    """Return what an answer must be, and why this one is not it, if a rule of ours says so."""
    question = QUESTIONS[field]
    why = f" ({reason})" if reason else ""
    return f"{question.option} must be {question.expected}, not {one_line(said[field], _LONGEST)!r}{why}."


def _parsed(field: str, text: str) -> Any:
    """Return an answer as its field takes it: lists with commas, pairs with "="."""
    if not QUESTIONS[field].is_list:
        return text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    match field:
        case "regions":
            return [dict(zip(("name", "url"), part.split("=", 1), strict=False)) for part in parts]
        case "plans":
            pairs = [part.partition("=")[::2] for part in parts]
            if len(dict(pairs)) < len(pairs):
                raise Unanswered(_wrong(field, {field: text}, "a plan is named twice"))
            return dict(pairs)
        case _:
            return parts
