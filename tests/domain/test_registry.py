"""One obligation, one place: every kind has one spec beside its rule, every request one activity."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incidents.domain import activity_requests, registry
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.agenda import agenda
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.investigation import activity_requests as investigation_requests
from incidents.domain.obligation import ObligationKind
from incidents.domain.obligation_spec import ObligationSpec
from incidents.domain.postmortem import activity_requests as postmortem_requests
from incidents.domain.registry import SPECS, in_order, spec_of
from incidents.domain.rollback import activity_requests as rollback_requests
from tests.support.incidents import RUNBOOK, at, fulfil, obligation, opened, settled
from workflows.activity_options import ACTIVITIES, FINDINGS

ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES = {name: module for name, module in vars(registry).items() if hasattr(module, "ObligationSpec")}
SPECS_ELSEWHERE = {
    # A cancelled, published or backfilled incident closes once all else is done, but a customer may answer until then.
    ("incidents/domain/incident/obligations.py", "NO_ANSWER"),
    # An error in reporting an error is not reported again.
    ("incidents/domain/apply_result.py", "REPORT_FAULT"),
    # The summary in the channel announces what other capabilities have scheduled.
    ("incidents/domain/chat/promised.py", "UPDATE"),
    ("incidents/domain/chat/promised.py", "ESCALATE"),
    ("incidents/domain/chat/promised.py", "TARGET"),
    ("incidents/domain/chat/promised.py", "OFFER_EXPIRES"),
    ("incidents/domain/chat/promised.py", "STABILITY"),
}
"""Every use of a spec outside the capability that defines it, with the reason."""


def home(spec: ObligationSpec[Any]) -> Path:
    """The folder of the capability that defines a spec."""
    owners = {
        Path(str(module.__file__)).parent
        for module in CAPABILITIES.values()
        if any(value is spec and name == spec.kind.name for name, value in vars(module).items())
    }
    own = {folder for folder in owners if defines(folder, spec.kind.name)}
    assert len(own) == 1, f"{spec.kind} is defined in {own or 'no capability'}"
    return own.pop()


def defines(folder: Path, name: str) -> bool:
    return any(
        isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        for path in folder.glob("*obligations.py")
        for node in parsed(path).body
    )


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, parsed(path)


def request_types() -> set[type[ActivityRequest[Any]]]:
    modules = (activity_requests, chat_requests, investigation_requests, postmortem_requests, rollback_requests)
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ActivityRequest)
        if not value.__pydantic_generic_metadata__["args"]  # `ActivityRequest[...]`, which pydantic keeps there
    }
    return found - {ActivityRequest, investigation_requests.Investigate}  # bases


def test_every_kind_has_exactly_one_spec() -> None:
    assert sorted(spec.kind for spec in SPECS) == sorted(ObligationKind)


def test_every_spec_is_fulfilled_in_exactly_one_way() -> None:
    for spec in SPECS:
        ways = (spec.build_request, spec.workflow_step, spec.apply_due)
        assert sum(way is not None for way in ways) == 1, spec.kind


def test_every_workflow_step_belongs_to_one_spec() -> None:
    steps = [spec.workflow_step for spec in SPECS if spec.workflow_step is not None]
    assert sorted(steps) == sorted(type(steps[0]))


def test_everything_is_derived_by_a_function_of_its_own_capability() -> None:
    for spec in SPECS:
        derived = [owed.derive.__code__ for owed in spec.owed]
        derived += [spec.owed_after.derive.__code__] if spec.owed_after else []
        assert derived, spec.kind
        for code in (Path(found.co_filename) for found in derived):
            assert code.parent == home(spec), f"{spec.kind} is derived in {code}"


def test_a_function_that_derives_several_kinds_has_one_set_of_phases() -> None:
    assert len({owed.derive for owed in registry.OWED}) == len(registry.OWED)


def test_no_kind_is_named_outside_its_capability() -> None:
    homes = {spec.kind.name: home(spec) for spec in SPECS}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path, tree in sources("incidents", "workflows", "activities")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "ObligationKind"
        and path.parent != homes[node.attr]
    ]
    assert found == []


def test_specs_are_used_elsewhere_only_where_it_is_said_why() -> None:
    names = {spec.kind.name for spec in SPECS}
    used = {
        (path.relative_to(ROOT).as_posix(), alias.name)
        for path, tree in sources("incidents", "workflows", "activities")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).endswith("obligations")
        for alias in node.names
        if alias.name in names
    }
    assert used == SPECS_ELSEWHERE


def test_every_request_has_exactly_one_activity() -> None:
    assert not ACTIVITIES.keys() & FINDINGS.keys()
    assert request_types() == ACTIVITIES.keys() | FINDINGS.keys()
    done_by = [*ACTIVITIES.values(), *FINDINGS.values()]
    assert len(set(done_by)) == len(done_by)


def test_every_request_is_built_by_a_spec_or_a_workflow() -> None:
    built = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for path, tree in sources("incidents/domain", "workflows")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }
    assert {kind.__name__ for kind in request_types()} - built == set()


def test_at_the_same_moment_the_registry_says_what_goes_first() -> None:
    incident = fulfil(opened(), obligation(opened(), "number"), at(0))
    now = [owed for owed in agenda(incident, RUNBOOK) if owed.due == at(0)]
    places = [SPECS.index(spec_of(owed)) for owed in now]
    assert len(set(places)) > 5
    assert places == sorted(places)
    assert in_order(list(reversed(now))) == now


def test_paging_goes_before_everything_else() -> None:
    assert agenda(opened(), RUNBOOK)[0].kind is ObligationKind.PAGE
    assert SPECS[0].kind is ObligationKind.PAGE


def test_each_key_is_owed_once() -> None:
    incident = opened()
    for minute in (0, 6, 31, 90):
        owed = [o.key for o in agenda(incident, RUNBOOK)]
        assert len(set(owed)) == len(owed)
        incident = settled(incident, at(minute))
