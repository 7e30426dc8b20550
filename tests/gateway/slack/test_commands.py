"""What is typed after `/incident`: the commands of the command line, by the same names and options."""

from datetime import UTC, datetime
from typing import Any

import pytest
import typer

from incidents.cli.index import SUBCOMMANDS
from incidents.cli.main import app
from incidents.domain.core.command import Command
from incidents.domain.incident import commands as c
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.rollback import commands as r
from incidents.gateway.slack.slash.typed import (
    GENERAL,
    QUESTIONS,
    SYNONYMS,
    TERMINAL,
    General,
    Order,
    Question,
    help_text,
    read_command,
)
from incidents.gateway.slack.slash.verbs import VERBS, MergeInto, Usage

PEOPLE = PeopleDirectory(
    {
        "ann": DirectoryEntry(slack="U0ANN", aliases=("ann.lee",)),
        "bob": DirectoryEntry(slack="U0BOB", email="bob@example.com"),
    }
)


def typed(
    text: str, channel: str = "general", people: PeopleDirectory = NOBODY, **more: str
) -> General | Question | Order:
    form = {"user_name": "ann", "text": text, "channel_name": channel} | more
    return read_command(form, "incident", people)


def ordered(text: str, channel: str = "general", **more: Any) -> Command | MergeInto:
    order = typed(text, channel, **more)
    assert isinstance(order, Order), order
    return order.command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ack 42", c.Acknowledge(by="ann")),
        ("ACK inc-42", c.Acknowledge(by="ann")),
        (
            "ack 42 --at 2026-11-23T14:02:00",
            c.Acknowledge(by="ann", at=datetime(2026, 11, 23, 14, 2, tzinfo=UTC)),
        ),
        ("note 42 It is the cache.", c.AddNote(by="ann", text="It is the cache.")),
        ('note #42 "It is the cache."', c.AddNote(by="ann", text="It is the cache.")),
        ('note 42 "Cache" is not "DB"', c.AddNote(by="ann", text='"Cache" is not "DB"')),
        ("note 42 run it with --force", c.AddNote(by="ann", text="run it with --force")),
        ("severity 42 p1 only one region", c.DeclareSeverity(by="ann", severity="P1", reason="only one region")),
        ("severity 42 p1 --reason one region", c.DeclareSeverity(by="ann", severity="P1", reason="one region")),
        ("update 42 We are on it.", c.PostUpdate(by="ann", text="We are on it.")),
        ("update 42 Soon. --next", c.PostUpdate(by="ann", text="Soon.", when=c.Publication.NEXT)),
        ("update 42 --draft Later.", c.PostUpdate(by="ann", text="Later.", when=c.Publication.DRAFT)),
        ("hold 42 10 waiting for numbers", c.HoldUpdate(by="ann", minutes=10, reason="waiting for numbers")),
        ("role 42 commander @bob", c.AssignRole(by="ann", role=c.Role.COMMANDER, person="bob")),
        ("role 42 commander me", c.AssignRole(by="ann", role=c.Role.COMMANDER, person="ann")),
        ("role 42 scribe --unassign", c.AssignRole(by="ann", role=c.Role.SCRIBE, unassign=True)),
        ("escalate 42", c.Escalate(by="ann")),
        ("private 42 keys leaked", c.MakePrivate(by="ann", reason="keys leaked")),
        ("monitor 42", c.Monitor(by="ann")),
        ("resolve 42 All is well.", c.Resolve(by="ann", text="All is well.")),
        ("resolve 42 --now Customers are fine.", c.Resolve(by="ann", now=True, reason="Customers are fine.")),
        ("resolve 42 —force the alert is wrong", c.Resolve(by="ann", force=True, reason="the alert is wrong")),
        ("reopen 42 it is back", c.Reopen(by="ann", reason="it is back")),
        ("cancel 42 a test", c.Cancel(by="ann", reason="a test")),
        ("assess 42 Half of Europe.", c.Assess(by="ann", impact="Half of Europe.")),
        (
            "assess 42 No logins --customers Acme Corp, Globex --complete",
            c.Assess(by="ann", impact="No logins", complete_outage=True, customers=("Acme Corp", "Globex")),
        ),
        ("step 42 ticket --skip no tracker", c.SettleStep(by="ann", step="ticket", how="skip", reason="no tracker")),
        ("step 42 ticket --done", c.SettleStep(by="ann", step="ticket", how="done")),
        (
            "confirm 42 --customer Acme Corp --not-restored --note 502s",
            c.ConfirmRecovery(by="ann", customer="Acme Corp", restored=False, note="502s"),
        ),
        ("merge 42 --into 41 same", MergeInto("ann", "41 same", "")),
        ("merge 42 41 same", MergeInto("ann", "41", "same")),
        ("unmerge 42", c.Unmerge(by="ann")),
        ("rollback 42 --cluster eu-001 --insist", r.RequestRollback(by="ann", cluster="eu-001", insist=True)),
        ("rollback 42 --to v1", r.RequestRollback(by="ann", version="v1")),
        ("approve 42", r.ApproveRollback(by="ann")),
        ("decline 42 not the cause", r.DeclineRollback(by="ann", reason="not the cause")),
        ("verdict 42 healthy checked by hand", r.JudgeRollback(by="ann", healthy=True, reason="checked by hand")),
        ("flag 42 v2 bad", r.FlagRelease(by="ann", version="v2", reason="bad")),
        ("review-drill 42 Good.", c.ReviewDrill(by="ann", text="Good.")),
        (
            "correct 42 started 2026-11-23T14:02:00Z the graph says so",
            c.CorrectTime(
                by="ann", which=c.Mark.STARTED, to=datetime(2026, 11, 23, 14, 2, tzinfo=UTC), reason="the graph says so"
            ),
        ),
    ],
)
def test_what_is_typed_becomes_a_command(text: str, command: Command | MergeInto) -> None:
    assert typed(text) == Order("42", command)


def test_what_is_asked_is_a_question() -> None:
    assert typed("status 42") == typed("show", "incident-42") == Question("42", "show")
    assert typed("timeline 42") == Question("42", "timeline")
    assert typed("") == General("open")
    assert typed("open It is slow") == General("open", "It is slow")
    assert [typed(text) for text in ("list", "oncall", "help")] == [
        General(verb) for verb in ("list", "oncall", "help")
    ]


def test_in_the_incidents_channel_the_number_need_not_be_said() -> None:
    assert typed("ack", "incident-42") == Order("42", c.Acknowledge(by="ann"))
    assert typed("hold 10 soon", "incident-42") == Order("42", c.HoldUpdate(by="ann", minutes=10, reason="soon"))
    assert ordered("note 42 x", "incident-42") == c.AddNote(by="ann", text="x")
    assert typed("ack INC-7", "incident-42") == Order("7", c.Acknowledge(by="ann")), "another is named in full there"
    assert typed("ack", "incident-42-private") == Order("42", c.Acknowledge(by="ann"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dance 42", "There is no command `dance`"),
        ("report 42", "`incident report --help`"),
        ("ack", "Which incident?"),
        ("ack 42 now", "takes no text: now"),
        ("ack 42 --at noon", "not an ISO 8601 time"),
        ("note 42", "text: "),
        ("severity 42", "severity: "),
        ("hold 42 soon", "minutes: "),
        ("hold 42 10", "Usage: `hold MINUTES REASON`"),
        ("role 42 commander", "Who?"),
        ("update 42 x --next --draft", "not both"),
        ("step 42 ticket", "exactly one"),
        ("verdict 42 maybe", "`healthy` or `unhealthy`"),
        ("merge 42", "Into which"),
    ],
)
def test_98_what_is_not_understood_is_answered_with_how_it_is_said(text: str, said: str) -> None:
    with pytest.raises(Usage) as caught:
        typed(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("named", ["<@U0BOB|bobby>", "<@U0BOB>", "@bob", "bob@example.com"])
def test_95_slack_names_people_by_the_directory(named: str) -> None:
    command = ordered(f"role 42 commander {named}", people=PEOPLE, user_name="al99", user_id="U0ANN")
    assert command == c.AssignRole(by="ann", role=c.Role.COMMANDER, person="bob")
    unknown = ordered("role 42 commander <@U0EVE|eve>", people=PEOPLE, user_name="zoe", user_id="U0ZOE")
    assert unknown == c.AssignRole(by="zoe", role=c.Role.COMMANDER, person="eve")


def test_every_command_of_the_command_line_is_here_or_named_as_the_terminals() -> None:
    listed = set(SUBCOMMANDS)
    assert listed <= {*VERBS, *QUESTIONS, *GENERAL, *TERMINAL, *SYNONYMS}
    assert VERBS.keys() <= listed
    assert set(TERMINAL) <= listed
    assert not set(TERMINAL) & {*VERBS, *QUESTIONS, *GENERAL, *SYNONYMS}


COMMON = {"by", "json", "timeout", "help", "wait"}
"""Options of the terminal alone: here the sender is known, and the answer is a message."""


@pytest.mark.parametrize("name", VERBS)
def test_the_options_of_a_command_are_those_of_the_command_line(name: str) -> None:
    group: Any = typer.main.get_command(app)
    command = group.get_command(None, name)
    options = {opt.removeprefix("--") for param in command.params for opt in param.opts if opt.startswith("--")}
    assert {*VERBS[name].flags, *VERBS[name].values} == options - COMMON


def test_help_fits_a_message() -> None:
    assert all(f"`{name} {verb.usage}`" in help_text() for name, verb in VERBS.items())
    assert len(help_text()) < 3000
