"""The commands that may be typed after `/incident`: those of the command line, by the same names and options."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.domain.core.command import Command
from incidents.domain.core.time.instants import parse_instant
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Publication
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.rollback import commands as rollback_commands
from incidents.gateway.slack.slash.arguments import Arguments


class Usage(Exception):
    """What was typed is invalid. The message explains the usage."""


@dataclass(frozen=True)
class MergeInto:
    """The incident is to be merged into another, which has to be looked up. `into`: its number."""

    by: str
    into: str
    reason: str


@dataclass(frozen=True)
class Typed:
    """What was typed after a verb, by whom. `people`: by whose names those whom it names are known."""

    by: str
    arguments: Arguments
    people: PeopleDirectory

    def make(self, kind: type[Command], **fields: Any) -> Command:
        """Return the command."""
        return kind.model_validate({"by": self.by} | fields)

    @property
    def words(self) -> str:
        """All words."""
        return self.arguments.words

    @property
    def reason(self) -> str:
        """The option `--reason`, or else the words."""
        return self.arguments.value("reason") or self.words


@dataclass(frozen=True)
class Verb:
    """A command by its name. `usage`: what follows it, as help shows it."""

    usage: str
    build: Callable[[Typed], Command | MergeInto]
    flags: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def _wordless(typed: Typed) -> Arguments:
    """Return the options of a command that takes no words."""
    if typed.words:
        raise Usage(f"This command takes no text: {typed.words[:80]}")
    return typed.arguments


def _acknowledge(typed: Typed) -> Command:
    at = _wordless(typed).value("at")
    return typed.make(commands.Acknowledge, at=_instant(at) if at else None)


def _correct(typed: Typed) -> Command:
    which, rest = typed.arguments.head()
    to, _, reason = rest.partition(" ")
    reason = typed.arguments.value("reason") or reason
    return typed.make(commands.CorrectTime, which=which.lower(), to=_instant(to), reason=reason.strip())


def _instant(text: str) -> datetime:
    """Return the time that was typed."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Usage(str(error)) from None


def _assess(typed: Typed) -> Command:
    said = typed.arguments
    listed = {name: tuple(filter(None, map(str.strip, said.value(name).split(",")))) for name in _LISTS}
    title, complete = said.value("title") or None, said.has("complete")
    return typed.make(commands.Assess, impact=said.words, complete_outage=complete, title=title, **listed)


_LISTS = ("customers", "services")


def _severity(typed: Typed) -> Command:
    level, reason = typed.arguments.head()
    reason = typed.arguments.value("reason") or reason
    return typed.make(commands.DeclareSeverity, severity=level.upper(), reason=reason)


def _update(typed: Typed) -> Command:
    if typed.arguments.has("next") and typed.arguments.has("draft"):
        raise Usage("Use --next or --draft, not both.")
    when = next((each for each in (Publication.NEXT, Publication.DRAFT) if typed.arguments.has(each)), Publication.NOW)
    return typed.make(commands.PostUpdate, text=typed.words, when=when)


def _hold(typed: Typed) -> Command:
    minutes, reason = typed.arguments.head()
    return typed.make(commands.HoldUpdate, minutes=minutes, reason=typed.arguments.value("reason") or reason)


def _role(typed: Typed) -> Command:
    role, person = typed.arguments.head()
    unassign = typed.arguments.has("unassign")
    if bool(person) is unassign:
        raise Usage("Who? Use `role commander NAME`, or `role commander --unassign`.")
    person = typed.by if person.lower() == "me" else typed.people.resolve(person)
    return typed.make(commands.AssignRole, role=role.lower(), person=person, unassign=unassign)


def _step(typed: Typed) -> Command:
    how = [name for name in ("retry", "skip", "done") if typed.arguments.has(name)]
    if len(how) != 1:
        raise Usage("Use exactly one of --retry, --skip REASON, --done.")
    return typed.make(commands.SettleStep, step=typed.words, how=how[0], reason=typed.arguments.value("skip"))


def _confirm(typed: Typed) -> Command:
    said = _wordless(typed)
    restored = not said.has("not-restored")
    return typed.make(
        commands.ConfirmRecovery, customer=said.value("customer"), restored=restored, note=said.value("note")
    )


def _resolve(typed: Typed) -> Command:
    said = typed.arguments
    force, now = said.has("force"), said.has("now")
    if force or now:  # these need a reason, which are then the words
        return typed.make(commands.Resolve, force=force, now=now, reason=typed.reason)
    return typed.make(commands.Resolve, text=said.words, reason=said.value("reason"))


def _merge(typed: Typed) -> MergeInto:
    said = typed.arguments
    into, reason = (said.value("into"), said.words) if said.has("into") else said.head()
    if not into:
        raise Usage("Into which incident? Use `merge 42 --into 41`.")
    return MergeInto(typed.by, into, said.value("reason") or reason)


def _rollback(typed: Typed) -> Command:
    said = _wordless(typed)
    fields = {"cluster": said.value("cluster"), "forward": said.has("forward"), "insist": said.has("insist")}
    return typed.make(rollback_commands.RequestRollback, version=said.value("to"), **fields)


def _verdict(typed: Typed) -> Command:
    word, reason = typed.arguments.head()
    if word.lower() not in ("healthy", "unhealthy"):
        raise Usage("The verdict is `healthy` or `unhealthy`.")
    said = {"reason": typed.arguments.value("reason") or reason, "cluster": typed.arguments.value("cluster")}
    return typed.make(rollback_commands.JudgeRollback, healthy=word.lower() == "healthy", **said)


def _flag(typed: Typed) -> Command:
    version, reason = typed.arguments.head()
    return typed.make(rollback_commands.FlagRelease, version=version, reason=typed.arguments.value("reason") or reason)


def _approve(typed: Typed) -> Command:
    return typed.make(rollback_commands.ApproveRollback, cluster=_wordless(typed).value("cluster"))


def _decline(typed: Typed) -> Command:
    return typed.make(rollback_commands.DeclineRollback, reason=typed.reason, cluster=typed.arguments.value("cluster"))


def _with_text(kind: type[Command]) -> Callable[[Typed], Command]:
    return lambda typed: typed.make(kind, text=typed.words)


def _with_reason(kind: type[Command]) -> Callable[[Typed], Command]:
    return lambda typed: typed.make(kind, reason=typed.reason)


_REASON = ("reason",)
VERBS: dict[str, Verb] = {
    "ack": Verb("[--at TIME]", _acknowledge, values=("at",)),
    "correct": Verb("started|acknowledged|mitigated|resolved TIME REASON", _correct, values=_REASON),
    "assess": Verb(
        "IMPACT [--customers A,B] [--services A,B] [--complete] [--title TITLE]",
        _assess,
        flags=("complete",),
        values=(*_LISTS, "title"),
    ),
    "severity": Verb("LEVEL [REASON]", _severity, values=_REASON),
    "update": Verb("TEXT [--next|--draft]", _update, flags=("next", "draft")),
    "hold": Verb("MINUTES REASON", _hold, values=_REASON),
    "escalate": Verb("[REASON]", _with_reason(commands.Escalate), values=_REASON),
    "role": Verb("commander|communications|scribe PERSON|me|--unassign", _role, flags=("unassign",)),
    "private": Verb("REASON", _with_reason(commands.MakePrivate), values=_REASON),
    "note": Verb("TEXT", _with_text(commands.AddNote)),
    "step": Verb("NAME --retry|--skip REASON|--done", _step, flags=("retry", "done"), values=("skip",)),
    "confirm": Verb(
        "[--customer NAME] [--not-restored] [--note TEXT]",
        _confirm,
        flags=("not-restored",),
        values=("customer", "note"),
    ),
    "monitor": Verb("[TEXT]", _with_text(commands.Monitor)),
    "resolve": Verb("[TEXT] | --now REASON | --force REASON", _resolve, flags=("force", "now"), values=_REASON),
    "reopen": Verb("REASON", _with_reason(commands.Reopen), values=_REASON),
    "cancel": Verb("REASON", _with_reason(commands.Cancel), values=_REASON),
    "review-drill": Verb("TEXT", _with_text(commands.ReviewDrill)),
    "merge": Verb("--into NUMBER [REASON]", _merge, values=("into", *_REASON)),
    "unmerge": Verb("[REASON]", _with_reason(commands.Unmerge), values=_REASON),
    "rollback": Verb(
        "[--to VERSION] [--cluster NAME] [--forward] [--insist]",
        _rollback,
        flags=("forward", "insist"),
        values=("cluster", "to"),
    ),
    "approve": Verb("[--cluster NAME]", _approve, values=("cluster",)),
    "decline": Verb("REASON [--cluster NAME]", _decline, values=("cluster", *_REASON)),
    "verdict": Verb("healthy|unhealthy [REASON] [--cluster NAME]", _verdict, values=("cluster", *_REASON)),
    "flag": Verb("VERSION REASON", _flag, values=_REASON),
}
"""By name, in the order in which help lists them."""
