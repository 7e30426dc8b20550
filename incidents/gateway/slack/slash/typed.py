"""Parse what is typed after `/incident`: a command or question for one incident, or for none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from incidents.domain.core.command import Command
from incidents.domain.core.payload import first_fault
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.slash.arguments import split_arguments
from incidents.gateway.slack.slash.verbs import VERBS, MergeInto, Typed, Usage

OPEN, HELP, LIST, ON_CALL = "open", "help", "list", "oncall"
SHOW, TIMELINE, CANDIDATES = "show", "timeline", "candidates"
SYNONYMS = {"": OPEN, "declare": OPEN, "new": OPEN, "on-call": ON_CALL, "status": SHOW}
"""Other names of these."""
GENERAL = (OPEN, LIST, ON_CALL, HELP)
"""What concerns no incident in particular."""
QUESTIONS = (SHOW, TIMELINE, CANDIDATES)
"""What only reads one incident."""
TERMINAL = (
    "similar",
    "watch",
    "check",
    "plan",
    "explain",
    "whatif",
    "adopt",
    "doctor",
    "init",
    "rehearse",
    "drill",
    "report",
    "backfill",
    "stuck",
    "reset",
    "evidence",
    "maintenance",
    "token",
    "keys",
    "alert",
    "postmortem",
)
"""Commands of the command line that Slack does not have: their output is long, or they need a file."""


@dataclass(frozen=True)
class General:
    """A request that concerns no incident in particular: one of `GENERAL`. `words`: what follows it."""

    verb: str
    words: str = ""


@dataclass(frozen=True)
class Question:
    """A question about one incident, by its number: one of `QUESTIONS`."""

    incident: str
    verb: str


@dataclass(frozen=True)
class Order:
    """A command for one incident, by its number."""

    incident: str
    command: Command | MergeInto


def help_text() -> str:
    """Return the list of commands."""
    general = "`/incident` opens an incident · `list` open incidents · `oncall` who is on call · `help`"
    questions = " · ".join(f"`{verb}`" for verb in QUESTIONS)
    orders = [f"`{name} {verb.usage}`" for name, verb in VERBS.items()]
    rest = "Outside the incident's channel, add the number after the command: `ack 42`."
    return "\n".join([general, f"Ask: {questions}", *orders, rest])


def sender(form: Mapping[str, str], people: PeopleDirectory) -> str:
    """Return the name of the person who typed."""
    return people.resolve(form.get("user_name", ""), form.get("user_id", ""))[:100]


def read_command(form: Mapping[str, str], channel_prefix: str, people: PeopleDirectory) -> General | Question | Order:
    """Parse the fields of a slash command, such as `/incident ack 42`, or `/incident ack` in INC-42's channel.

    `people`: by whose names the sender and those whom the command names are known.

    Raises:
        Usage: the command is invalid.
    """
    verb, _, rest = form.get("text", "").strip().partition(" ")
    verb = SYNONYMS.get(verb.lower(), verb.lower())
    if verb in GENERAL:
        return General(verb, rest.strip())
    if verb in TERMINAL:
        raise Usage(f"`{verb}` is a command of the terminal: `incident {verb} --help`.")
    if verb not in VERBS and verb not in QUESTIONS:
        raise Usage(f"There is no command `{verb[:40]}`. `/incident help` lists all.")
    number, rest = _number(rest.strip(), form.get("channel_name", ""), channel_prefix)
    if number is None:
        raise Usage(f"Which incident? Use `{verb} 42`, or run it in the incident's channel.")
    if verb in QUESTIONS:
        return Question(number, verb)
    return Order(number, _build(verb, rest, sender(form, people), people))


def _build(name: str, rest: str, by: str, people: PeopleDirectory) -> Command | MergeInto:
    verb = VERBS[name]
    try:
        return verb.build(Typed(by, split_arguments(rest, verb.flags, verb.values), people))
    except ValidationError as error:
        raise Usage(f"{first_fault(error)}\nUsage: `{name} {verb.usage}`") from None


def _number(rest: str, channel: str, prefix: str) -> tuple[str | None, str]:
    """Return the incident number (leading, or else from the channel name) and the remaining text."""
    here = number_of_channel(channel, prefix)
    said = re.match(r"(?:INC-|#)?([0-9]{1,9})(?:\s+|$)", rest, re.IGNORECASE)
    # In INC-42's channel `hold 10 …` holds for ten minutes: a number is another incident's only elsewhere.
    if said and (here in (None, said[1]) or not said[0][0].isdigit()):
        return said[1], rest[said.end() :].strip()
    return here, rest


def number_of_channel(name: str, prefix: str) -> str | None:
    """Return the number of the incident whose channel has that name; None if it is no incident's."""
    found = re.match(rf"{re.escape(prefix)}-([0-9]{{1,9}})(?:-|$)", name)
    return found[1] if found else None
