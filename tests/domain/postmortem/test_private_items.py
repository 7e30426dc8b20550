"""100: action items of a private incident do not become public issues."""

from datetime import date

import pytest

from incidents.domain.activity_requests import CommentTicket
from incidents.domain.apply_command import apply_command
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.commands import Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.apply_command import apply_command as apply_to_postmortem
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.commands import PublishPostmortem
from incidents.domain.postmortem.document.sections import ActionItem, Document, ItemState
from incidents.domain.postmortem.obligations.obligation import PostmortemObligationKind
from incidents.domain.postmortem.obligations.registry import postmortem_agenda
from incidents.domain.postmortem.postmortem import Postmortem, Stage, open_postmortem
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, opened

ITEM = ActionItem(id=1, title="Rotate the keys", owner="bob", due=date(2027, 1, 15), outcome="The old ones fail")
PRIVATE_REPOSITORY = RUNBOOK.replace(
    postmortem=RUNBOOK.postmortem.replace(items=RUNBOOK.postmortem.items.replace(private_issues=True))
)


def about(incident: Incident, item: ActionItem = ITEM) -> Postmortem:
    resolve = Resolve(by="ann", force=True, reason="well")
    over = apply_command(incident.replace(number=1), resolve, RUNBOOK, at(10))
    return open_postmortem(over, RUNBOOK, at(10)).replace(document=Document(items=(item,)))


def issues(postmortem: Postmortem, runbook: RunbookConfig) -> list[str]:
    owed = postmortem_agenda(postmortem, runbook)
    return [o.key for o in owed if o.kind is PostmortemObligationKind.OPEN_ISSUE]


@pytest.mark.parametrize(
    ("private", "runbook", "owed"),
    [(False, RUNBOOK, ["issue/1"]), (True, RUNBOOK, []), (True, PRIVATE_REPOSITORY, ["issue/1"])],
)
def test_100_items_of_a_private_incident_stay_in_the_record(
    private: bool, runbook: RunbookConfig, owed: list[str]
) -> None:
    assert issues(about(opened().replace(private=private)), runbook) == owed


def test_100_an_issue_from_before_is_closed_without_the_reason() -> None:
    item = ITEM.replace(issue=7, state=ItemState.WONT_DO, reason="the vault is gone", since=T0)
    postmortem = about(opened().replace(private=True), item)
    [close] = [o for o in postmortem_agenda(postmortem, RUNBOOK) if o.kind is PostmortemObligationKind.CLOSE_ISSUE]
    comment = postmortem_request(close, postmortem, RUNBOOK, at(20))
    assert isinstance(comment, CommentTicket)
    assert "vault" not in comment.body


def test_100_the_post_mortem_of_a_private_incident_is_published_in_the_private_store() -> None:
    postmortem = about(opened().replace(private=True))
    written = WRITTEN.replace(items=(ITEM,), no_items_because="")
    postmortem = postmortem.replace(document=written, figures=True, draft_url="s3://evidence/INC-1/postmortem-1.md")
    assert "propose/1" not in [o.key for o in postmortem_agenda(postmortem, RUNBOOK)]
    published = apply_to_postmortem(postmortem, PublishPostmortem(by="ann"), RUNBOOK, at(60))
    assert (published.stage, published.document_url) == (Stage.PUBLISHED, "s3://evidence/INC-1/postmortem-1.md")
    assert issues(published, RUNBOOK) == []


def test_100_an_item_of_a_public_incident_needs_its_issue() -> None:
    postmortem = about(opened()).replace(document=WRITTEN.replace(items=(ITEM,)), figures=True)
    assert postmortem.lacks == ["action item 1 has no issue"]
