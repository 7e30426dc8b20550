"""Blameless warnings, and hostile text in the post-mortem's file."""

from markdown_it import MarkdownIt

from incidents.domain import apply_command as commands
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import Acknowledge, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.apply_command import apply_command
from incidents.domain.postmortem.commands import AddLine, EditDocument
from incidents.domain.postmortem.document.blameless import describe_new_blame, find_blame
from incidents.domain.postmortem.document.markdown import Page, parse, plain, render
from incidents.domain.postmortem.document.reconstructed_timeline import reconstruct_timeline
from incidents.domain.postmortem.document.sections import Document
from incidents.domain.postmortem.figures.impact import figures
from incidents.domain.postmortem.postmortem import open_postmortem
from tests.support.incidents import RUNBOOK, WRITTEN, at, opened, settled


def resolved() -> Incident:
    """An incident that is over."""
    incident = commands.apply_command(settled(opened(), at(1)), Acknowledge(by="ann"), RUNBOOK, at(4))
    return commands.apply_command(incident, Resolve(by="ann", force=True, reason="fixed"), RUNBOOK, at(43))


def test_106_one_sentence_gets_one_warning() -> None:
    [blame] = find_blame(Document(summary="The careless engineer forgot to look and is to blame."))
    assert blame.words == "careless"


def test_106_only_the_sentences_that_an_edit_added_are_warned_of() -> None:
    before = Document(summary="Bob forgot to look.")
    after = before.replace(root_cause="Human error.", better=("Calm.",))
    assert describe_new_blame(Document(), before).startswith('Blameless check: "forgot to" says what')
    assert "Bob" not in describe_new_blame(before, after)
    assert describe_new_blame(after, after.replace(well=("All was well.",))) == ""


def test_106_the_timeline_has_no_warning() -> None:
    postmortem = open_postmortem(resolved(), RUNBOOK, at(45))
    edited = apply_command(postmortem, EditDocument(by="alice", summary="Bob was careless."), RUNBOOK, at(46))
    added = apply_command(edited, AddLine(by="alice", section="better", text="Carol forgot to look."), RUNBOOK, at(47))
    assert not any("lameless" in entry.text or "careless" in entry.text for entry in added.timeline)


def test_94_a_hostile_title_stays_one_heading_and_one_cell() -> None:
    hostile = "# x | y <script>alert(1)</script> [a](http://b) @root"
    incident = resolved().replace(title=hostile)
    incident = incident.logged(at(44), "<b>eve</b>", Kind.NOTE, f"{hostile}\n## Action items")
    page = Page(
        incident=incident,
        document=WRITTEN,
        owner="ann",
        due="[16:43 UTC]",
        standing="Draft.",
        impact="Evaluations fail.",
        figures=figures(incident, RUNBOOK),
        rows=reconstruct_timeline(incident, {}),
    )
    text = render(page)
    assert parse(text, WRITTEN) == plain(WRITTEN)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert not [token for token in tokens if token.type == "html_block"]
    inner = [child for token in tokens if token.children for child in token.children]
    assert not [child for child in inner if child.type == "html_inline"]
    assert {child.attrs["href"] for child in inner if child.type == "link_open"} == set()
    shown = [token.content for token in tokens if token.type == "inline" and "alert(1)" in token.content]
    assert len(shown) == 2
    assert all("@&#8203;root" in content for content in shown)
