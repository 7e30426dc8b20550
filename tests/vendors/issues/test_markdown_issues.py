"""Tickets as files: what the tracker promises, and that people can read and edit them."""

from pathlib import Path

import pytest

from incidents.vendors.errors import VendorNotFound, VendorUnavailable
from incidents.vendors.issues.markdown import MarkdownIssues

MARK = "<!-- incident-runbook run-7 -->"


def test_a_ticket_is_a_file_that_people_can_read(tmp_path: Path) -> None:
    tracker = MarkdownIssues(tmp_path / "tickets")
    issue = tracker.create_issue("INC-7: typo\nin a label", f"A typo.\n\n{MARK}", ("incident", "p3"))
    assert (issue.number, issue.title, issue.state) == (1, "INC-7: typo in a label", "open")
    tracker.comment(1, "Fixed.\n<!-- update-1 -->")
    closed = tracker.close_issue(1)
    assert (closed.state, closed.state_reason, closed.labels) == ("closed", "completed", ("incident", "p3"))
    assert Path(issue.url.removeprefix("file://")).read_text(encoding="utf-8") == (
        "# INC-7: typo in a label\n\n_closed_ · incident, p3\n\nA typo.\n\n"
        f"{MARK}\n\n---\n\nFixed.\n<!-- update-1 -->\n"
    )


def test_marks_find_the_issue_and_the_comment_again(tmp_path: Path) -> None:
    tracker = MarkdownIssues(tmp_path)
    tracker.create_issue("Another", "no mark", ("incident",))
    made = tracker.create_issue("INC-7", MARK, ("incident",))
    assert tracker.find_issue(MARK, "incident") == made
    assert tracker.find_issue(MARK, "other label") is None
    assert tracker.find_comment(made.number, "update-1") is None
    tracker.comment(made.number, "One.\nupdate-1")
    found = tracker.find_comment(made.number, "update-1")
    assert found is not None
    assert found.id == 1


def test_numbers_are_never_given_twice(tmp_path: Path) -> None:
    first, second = MarkdownIssues(tmp_path), MarkdownIssues(tmp_path)
    numbers = [tracker.create_issue("x", "y").number for tracker in (first, second, first)]
    assert numbers == [1, 2, 3]
    (tmp_path / "0002.md").unlink()
    assert first.create_issue("x", "y").number == 4


def test_what_people_made_of_a_file_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "0001.md").write_text("Somebody wrote this\nby hand\n", encoding="utf-8")
    issue = MarkdownIssues(tmp_path).get_issue(1)
    assert (issue.title, issue.state) == ("Somebody wrote this", "open")


def test_errors_are_a_vendors(tmp_path: Path) -> None:
    with pytest.raises(VendorNotFound):
        MarkdownIssues(tmp_path).get_issue(9)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(VendorUnavailable):
        MarkdownIssues(tmp_path / "file").create_issue("x", "y")


def test_a_text_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    tracker = MarkdownIssues(tmp_path)
    number = tracker.create_issue("It", "Old.", ["incident"]).number
    tracker.comment(number, "Seen.\n<!-- c1 -->")
    edited = tracker.edit_issue(number, "New.")
    assert (edited.title, edited.state, edited.labels) == ("It", "open", ("incident",))
    assert edited.body.strip() == "New."
    assert tracker.find_comment(number, "<!-- c1 -->")


def test_87_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    assert MarkdownIssues(tmp_path / "missing").find_issue("marker", "incident") is None
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(VendorUnavailable):
        MarkdownIssues(tmp_path / "file").find_issue("marker", "incident")


def test_a_title_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    tracker = MarkdownIssues(tmp_path)
    number = tracker.create_issue("It", "Text.", ["incident"]).number
    renamed = tracker.retitle_issue(number, "It,\nin other words")
    assert (renamed.title, renamed.state, renamed.body.strip()) == ("It, in other words", "open", "Text.")
    tracker.comment(number, "Seen.\n<!-- c1 -->")
    assert tracker.retitle_issue(number, "It") == tracker.retitle_issue(number, "It")
    assert tracker.find_comment(number, "<!-- c1 -->")


def test_a_file_that_people_wrote_gets_a_title_and_keeps_its_text(tmp_path: Path) -> None:
    (tmp_path / "0002.md").write_text("Somebody wrote this", encoding="utf-8")
    tracker = MarkdownIssues(tmp_path)
    for title in ("Theirs", "Theirs, renamed"):
        renamed = tracker.retitle_issue(2, title)
        assert (renamed.title, renamed.state, renamed.body.strip()) == (title, "open", "Somebody wrote this")
