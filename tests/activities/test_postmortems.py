"""Post-mortems: the document from real evidence, the pull request, and what GitHub's side does to them."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import KeepDocument, OpenTicket, SendMail
from incidents.domain.activity_results import IssueFact
from incidents.domain.archiving import Limits, apply_chunk, next_chunk
from incidents.domain.config.model import RunbookConfig
from incidents.domain.evidence.manifest import ManifestRef, Scope, items
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.activity_requests import (
    ProposeDocument,
    WatchDocument,
    WatchIssues,
    WritePostmortem,
)
from incidents.domain.postmortem.config import Proposal, ReviewRules
from incidents.domain.postmortem.postmortem import Postmortem, open_postmortem
from incidents.domain.postmortem.review import invitation
from incidents.domain.recipients import staff
from incidents.domain.rollback.activity_requests import CaptureEvidence, WriteManifest
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform
from tests.domain.postmortem.test_learning import resolved
from tests.support.incidents import RUNBOOK, T0, WRITTEN

METRICS = {"error ratio": "fs_evaluation_error_ratio", "latency p95 (s)": "fs_evaluation_latency_seconds"}
RULES: RunbookConfig = RUNBOOK.replace(investigation=RUNBOOK.investigation.replace(metrics=METRICS))
PULL = ProposeDocument(
    key="run-1/postmortem/propose/1",
    folder="INC-1",
    name="postmortem-1.md",
    pictures=("INC-1-chart.svg",),
    how=Proposal.PULL_REQUEST,
    branch="postmortem/INC-1",
    base="main",
    path="postmortems/INC-1.md",
    title="Post-mortem of INC-1",
    body="Edit it here.",
    labels=("postmortem",),
    marker="<!-- run-1/postmortem -->",
    known="",
)


def kept(activities: ActivitySet, incident: Incident) -> Incident:
    """The incident with what the sandbox's sources tell of it preserved, as its process would."""
    until = datetime.now(UTC)
    where = Scope(
        service="flag-evaluation",
        log_service="featuresignals-api",
        regions=RULES.regions,
        since=until - timedelta(minutes=10),
        until=until,
        most_rows=1000,
        step_seconds=15,
    )
    wanted = [item for item in items({}, RULES.regions, METRICS, "resolution-1") if "audit" not in item.name]
    asked = [
        CaptureEvidence(key=item.name, folder="INC-1", item=item, scope=where, rules=RULES.rollback) for item in wanted
    ]
    parts = tuple(perform(activities.evidence.capture_evidence, one) for one in asked)
    manifest = WriteManifest(key="m", incident="INC-1", folder="INC-1", phase="resolution-1", parts=parts)
    ref: ManifestRef = perform(activities.evidence.write_manifest, manifest).manifest
    return incident.replace(evidence=incident.evidence.replace(manifests=(ref,)))


def postmortem(activities: ActivitySet) -> Postmortem:
    return open_postmortem(kept(activities, resolved()), RULES, datetime(2026, 11, 23, 14, 44, tzinfo=UTC))


def test_the_document_holds_the_story_the_figures_and_the_chart(
    activities: ActivitySet, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    sandbox.deploy("eu", "v2.15.0-bad")
    owed = postmortem(activities)
    wanted = WritePostmortem(key="k", folder="INC-1", postmortem=owed.replace(document=WRITTEN), runbook=RULES)
    outcome = perform(activities.postmortems.write_postmortem, wanted)
    text = (tmp_path / "INC-1" / "postmortem-1.md").read_text(encoding="utf-8")
    assert outcome.resources.evidence_url == f"{tmp_path.as_uri()}/INC-1/postmortem-1.md"
    assert "| Time to resolve | 43m |" in text
    assert "| Pro | 99.9 % | 43m 12s | 43m | 43m | 12s |" in text
    assert "```mermaid\ngantt" in text
    assert "Releases are not tested against what their predecessors left behind." in text
    assert "- Missing evidence: resolution-1/database.json: database diagnostics not configured" in text
    assert "![Errors and latency over the incident](INC-1-chart.svg)" in text
    svg = (tmp_path / "INC-1" / "INC-1-chart.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "resolved 14:43" in svg
    assert "http" not in svg.replace("http://www.w3.org/", ""), "it asks the network for nothing"


def test_the_document_holds_what_is_in_the_archive_and_says_what_is_gone(
    activities: ActivitySet, tmp_path: Path
) -> None:
    owed = postmortem(activities)
    chunk = next_chunk(owed.incident, Limits(window=0, most=1, least=0))
    assert chunk is not None
    ref = chunk.ref("INC-1", datetime(2026, 11, 23, tzinfo=UTC))
    slim = owed.replace(incident=apply_chunk(owed.incident, chunk, ref))
    assert len(slim.incident.timeline) < len(owed.incident.timeline)
    folder, _, name = ref.path.partition("/")
    perform(activities.evidence.keep_document, KeepDocument(key="c", folder=folder, name=name, text=chunk.text))

    def written(about: Postmortem) -> str:
        perform(
            activities.postmortems.write_postmortem,
            WritePostmortem(key="k", folder="INC-1", postmortem=about, runbook=RULES),
        )
        return (tmp_path / "INC-1" / "postmortem-1.md").read_text("utf-8")

    assert written(slim) == written(owed)
    (tmp_path / ref.path).unlink()
    assert f"Entries 1 to {ref.last} cannot be read from the evidence store" in written(slim)


def test_what_other_incidents_have_cost_is_counted_into_the_month(activities: ActivitySet, tmp_path: Path) -> None:
    from incidents.domain.reporting.record import record_of

    other = record_of(resolved(minutes=10).replace(number=2, first_run_id="run-2"), RULES)
    drill = other.replace(first_run_id="run-3", drill=True)
    for folder, record in (("INC-2", other), ("INC-3", drill)):
        asked = KeepDocument(key=folder, folder=folder, name="record.json", text=record.model_dump_json())
        perform(activities.evidence.keep_document, asked)
    earlier = resolved().replace(number=1)
    owed = open_postmortem(earlier, RULES, datetime(2026, 11, 23, 14, 44, tzinfo=UTC))
    wanted = WritePostmortem(key="k", folder="INC-1", postmortem=owed, runbook=RULES)
    perform(activities.postmortems.write_postmortem, wanted)
    text = (tmp_path / "INC-1" / "postmortem-1.md").read_text(encoding="utf-8")
    assert "| Pro | 99.9 % | 43m 12s | 43m | 43m | 12s |" in text, "they overlap, and overlapping minutes count once"


def test_a_damaged_record_keeps_no_draft_from_being_written(activities: ActivitySet, tmp_path: Path) -> None:
    asked = KeepDocument(key="x", folder="INC-9", name="record.json", text="{broken")
    perform(activities.evidence.keep_document, asked)
    owed = open_postmortem(
        resolved().replace(evidence=resolved().evidence.replace(manifests=())),
        RULES,
        datetime(2026, 11, 23, 14, 44, tzinfo=UTC),
    )
    perform(
        activities.postmortems.write_postmortem,
        WritePostmortem(key="k", folder="INC-1", postmortem=owed, runbook=RULES),
    )
    text = (tmp_path / "INC-1" / "postmortem-1.md").read_text(encoding="utf-8")
    assert "- Missing evidence: INC-9/record.json: damaged record" in text
    assert "- Missing evidence: no evidence was saved at resolution" in text


def test_an_edit_in_the_same_moment_is_read_and_not_lost(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    ours = proposed(activities)
    asked = KeepDocument(key="d2", folder="INC-1", name="postmortem-1.md", text="## Summary\n\nOurs, again.\n")
    perform(activities.evidence.keep_document, asked)
    sandbox.fault("github", "status", "PUT ", status=409, body={"message": "does not match"})
    again = failed(activities.postmortems.propose_document, PULL.replace(known=ours.digest))
    assert not again.non_retryable
    sandbox.file(PULL.branch, PULL.path, "## Summary\n\nTheirs.\n")
    outcome = perform(activities.postmortems.propose_document, PULL.replace(known=ours.digest), attempt=2)
    assert outcome.text == "## Summary\n\nTheirs.\n"


def proposed(activities: ActivitySet) -> Any:
    asked = KeepDocument(key="d", folder="INC-1", name="postmortem-1.md", text="## Summary\n\nOurs.\n")
    perform(activities.evidence.keep_document, asked)
    return perform(activities.postmortems.propose_document, PULL)


@pytest.mark.parametrize("lost", ["POST {repo}/git/refs", "PUT {repo}/contents/", "POST {repo}/pulls"])
def test_75_the_pull_request_is_made_once_whatever_reply_is_lost(
    activities: ActivitySet, sandbox: RunningSandbox, lost: str
) -> None:
    repository = f"/github/repos/{sandbox.environment()['GITHUB_REPOSITORY']}"
    asked = KeepDocument(key="d", folder="INC-1", name="postmortem-1.md", text="## Summary\n\nOurs.\n")
    perform(activities.evidence.keep_document, asked)
    sandbox.fault("github", "lost_reply", lost.format(repo=repository))
    failed(activities.postmortems.propose_document, PULL)
    outcome = perform(activities.postmortems.propose_document, PULL, attempt=2)
    assert operations(sandbox, "github")[:3] == ["branch.create", "file.put", "pull.create"]
    assert len(sandbox.state()["github_files"]["pulls"]) == 1
    files = sandbox.state()["github_files"]
    assert files["branches"]["postmortem/INC-1"] == {"postmortems/INC-1.md": "## Summary\n\nOurs.\n"}
    assert outcome.reference == files["pulls"][0]["html_url"]


def test_what_people_wrote_there_comes_back_instead_of_being_overwritten(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    ours = proposed(activities)
    watch = WatchDocument(key="w", branch=PULL.branch, path=PULL.path, known=ours.digest, every_seconds=60)
    quiet = failed(activities.postmortems.watch_document, watch)
    assert (quiet.type, quiet.next_retry_delay) == ("Unchanged", timedelta(minutes=1))
    sandbox.file(PULL.branch, PULL.path, "## Summary\n\nTheirs.\n")
    assert perform(activities.postmortems.watch_document, watch).text == "## Summary\n\nTheirs.\n"
    again = perform(activities.postmortems.propose_document, PULL.replace(known=ours.digest))
    assert (again.text, again.reference) == ("## Summary\n\nTheirs.\n", "")
    perform(activities.postmortems.propose_document, PULL.replace(known=again.digest))
    assert "Ours." in sandbox.state()["github_files"]["branches"][PULL.branch][PULL.path]


def test_our_own_write_whose_reply_was_lost_is_not_taken_for_an_edit(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    first = proposed(activities)
    asked = KeepDocument(key="d2", folder="INC-1", name="postmortem-1.md", text="## Summary\n\nOurs, again.\n")
    perform(activities.evidence.keep_document, asked)
    sandbox.fault("github", "lost_reply", "PUT ")
    failed(activities.postmortems.propose_document, PULL.replace(known=first.digest))
    again = perform(activities.postmortems.propose_document, PULL.replace(known=first.digest), attempt=2)
    assert (again.text, again.reference) == ("", first.reference)


def test_it_may_be_an_issue_instead(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    asked = KeepDocument(key="d", folder="INC-1", name="postmortem-1.md", text="# It\n")
    perform(activities.evidence.keep_document, asked)
    wanted = PULL.replace(how=Proposal.ISSUE)
    first, second = (perform(activities.postmortems.propose_document, wanted) for _ in range(2))
    assert first.reference == second.reference
    perform(activities.evidence.keep_document, asked.replace(text="# It, again\n"))
    perform(activities.postmortems.propose_document, wanted)
    [issue] = sandbox.state()["github"]
    assert issue["body"].startswith("Edit it here.\n# It, again"), "and it is kept current"


def test_without_github_it_says_so(wired: Any) -> None:
    activities = wired()
    asked = KeepDocument(key="d", folder="INC-1", name="postmortem-1.md", text="# It\n")
    perform(activities.evidence.keep_document, asked)
    assert "GitHub not configured" in perform(activities.postmortems.propose_document, PULL).skipped
    watch = WatchDocument(key="w", branch="b", path="p", known="", every_seconds=60)
    assert "GitHub not configured" in perform(activities.postmortems.watch_document, watch).skipped


TICKET = OpenTicket(
    key="t", title="Test it", body="Do.", labels=("action-item",), marker="<!-- i1 -->", assignees=("bob",)
)


def test_74_issues_are_followed_with_conditional_requests(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    numbers = [
        perform(activities.issue_tracker.open_ticket, TICKET.replace(marker=f"<!-- i{n} -->")).resources.ticket
        for n in range(4)
    ]
    assert sandbox.state()["github"][0]["assignees"][0]["login"] == "bob"
    watch = WatchIssues(key="w", issues=dict.fromkeys(numbers, "open"), every_seconds=900)
    for _ in range(2):
        assert failed(activities.issue_tracker.watch_issues, watch).type == "Unchanged"
    statuses = [call["status"] for call in sandbox.calls("github") if call["method"] == "GET"]
    assert statuses[-4:] == [304] * 4, "what has not changed costs nothing of the rate limit"
    sandbox.issue(numbers[0], state="closed", state_reason="completed")
    sandbox.issue(numbers[1], state="closed", state_reason="not_planned")
    sandbox.issue(numbers[2], lost="deleted")
    sandbox.issue(numbers[3], lost="moved")
    outcome = perform(activities.issue_tracker.watch_issues, watch)
    assert outcome.issues == (
        IssueFact(number=numbers[0], state="closed", reason="completed"),
        IssueFact(number=numbers[1], state="closed", reason="not_planned"),
        IssueFact(number=numbers[2], state="gone"),
        IssueFact(number=numbers[3], state="moved"),
    )
    known = dict(zip(numbers, ("closed", "not_planned", "gone", "moved"), strict=True))
    assert failed(activities.issue_tracker.watch_issues, watch.replace(issues=known)).type == "Unchanged"


def test_the_invitation_goes_with_the_mail(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    mail = SendMail(
        key="i",
        to=staff(("em@x.com",)),
        subject="On the agenda",
        text="Come.",
        thread="run-1",
        sequence=0,
        invitation=invitation("uid", "Review", "https://x", T0, ReviewRules(), T0),
    )
    perform(activities.email.send_mail, mail)
    [row] = sandbox.ledger("sendgrid")
    [attachment] = row["payload"]["attachments"]
    assert attachment["filename"] == "invite.ics"
    assert "mailto:em@x.com" in base64.b64decode(attachment["content"]).decode()
