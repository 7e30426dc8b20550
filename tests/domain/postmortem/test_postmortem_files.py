"""The files that a post-mortem proposes in the repository."""

from incidents.domain.postmortem.activity_requests import ProposeDocument
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation, PostmortemObligationKind
from incidents.domain.postmortem.postmortem import open_postmortem
from tests.support.incidents import RUNBOOK, T0, opened


def proposed(number: int) -> ProposeDocument:
    postmortem = open_postmortem(opened().replace(number=number), RUNBOOK, T0)
    kind = PostmortemObligationKind.PROPOSE
    owed = PostmortemObligation(key="propose/1", kind=kind, due=T0, since=T0, summary="Propose the document")
    request = postmortem_request(owed, postmortem, RUNBOOK, T0)
    assert isinstance(request, ProposeDocument)
    return request


def test_each_post_mortem_has_files_of_its_own() -> None:
    first, second = proposed(41), proposed(42)
    assert first.branch != second.branch
    assert not {first.path, *first.pictures} & {second.path, *second.pictures}
