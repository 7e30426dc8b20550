"""Every obligation of a post-mortem has one spec beside its rule, and is named nowhere else."""

import ast
from pathlib import Path

from incidents.domain.postmortem.obligations.obligation import ACTIVE, OPEN, PUBLISHED, PostmortemObligationKind
from incidents.domain.postmortem.obligations.registry import SPECS
from incidents.domain.postmortem.postmortem import Stage

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "incidents" / "domain" / "postmortem" / "obligations"


def test_every_kind_has_exactly_one_spec() -> None:
    assert sorted(spec.kind for spec in SPECS) == sorted(PostmortemObligationKind)


def test_every_spec_is_fulfilled_in_exactly_one_way() -> None:
    for spec in SPECS:
        assert (spec.build_request is None) is not (spec.apply_due is None), spec.kind


def test_a_poll_is_asked_again_and_so_never_only_changes_the_state() -> None:
    polls = [spec for spec in SPECS if spec.poll]
    assert {spec.kind for spec in polls} == {PostmortemObligationKind.READ, PostmortemObligationKind.WATCH}
    assert all(spec.build_request is not None and spec.housekeeping for spec in polls)


def test_only_the_notification_of_operators_survives_an_agenda_that_cannot_be_derived() -> None:
    assert [spec.kind for spec in SPECS if spec.owed.survives] == [PostmortemObligationKind.REPORT_FAULT]


def test_nothing_but_its_record_and_its_channel_is_owed_once_it_has_ended() -> None:
    ended = {Stage.WAIVED, Stage.COMPLETED}
    assert not ended & (OPEN | ACTIVE | PUBLISHED)
    kinds = {spec.kind for spec in SPECS if ended <= spec.owed.stages}
    assert kinds == {
        PostmortemObligationKind.RECORD,
        PostmortemObligationKind.RECORD_INCIDENT,
        PostmortemObligationKind.REPORT_FAULT,
        PostmortemObligationKind.ARCHIVE,
    }


def test_no_kind_is_named_outside_the_rules() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("incidents", "workflows", "activities")
        for path in (ROOT / folder).rglob("*.py")
        if HOME not in path.parents
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "PostmortemObligationKind"
    ]
    assert found == []
