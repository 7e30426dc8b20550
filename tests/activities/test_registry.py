"""What a worker registers is all that there is, and all that the workflows call."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import pytest

import activities
from activities.heartbeats import Heartbeats
from activities.maintenance import Maintenance
from activities.registry import ActivitySet
from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.investigation import activity_requests as investigation_requests
from incidents.domain.rollback import activity_requests as rollback_requests
from workflows.activity_options import ACTIVITIES, FINDINGS

OURS = (
    activity_requests.__name__,
    investigation_requests.__name__,
    rollback_requests.__name__,
    "incidents.domain.chat.activity_requests",
    "incidents.domain.postmortem.activity_requests",
)
MARK = "__temporal_activity_definition"


def defined() -> Iterator[Callable[..., Any]]:
    """Every function of the package that is marked as an activity."""
    for module in pkgutil.walk_packages(activities.__path__, "activities."):
        for _, thing in inspect.getmembers(importlib.import_module(module.name)):
            if inspect.isclass(thing) and thing.__module__ == module.name:
                yield from (method for _, method in inspect.getmembers(thing) if hasattr(method, MARK))
            elif hasattr(thing, MARK):
                yield thing


def name_of(method: Callable[..., Any]) -> str:
    return str(getattr(method, MARK).name)


def leaves(kind: type[ActivityRequest[Any]]) -> Iterator[type[ActivityRequest[Any]]]:
    """The requests that are made, without those that only hold what others have in common."""
    below = [child for child in kind.__subclasses__() if child.__module__ in OURS]
    if not below and not kind.__pydantic_generic_metadata__["args"]:  # `ActivityRequest[...]` in an annotation
        yield kind
    for child in below:
        yield from leaves(child)


def test_every_activity_is_registered_once(idle: ActivitySet) -> None:
    registered = [name_of(method) for method in idle.methods()]
    assert len(registered) == len(set(registered))
    assert set(registered) == {name_of(method) for method in defined()}
    assert len(registered) > 20


def test_every_activity_is_bound_to_its_hand(idle: ActivitySet) -> None:
    for method in idle.methods():
        assert type(method.__self__).__dict__[method.__name__] is method.__func__  # type: ignore[attr-defined]


def test_what_the_workflows_call_is_registered_under_its_name(idle: ActivitySet) -> None:
    registered = {name_of(method): method for method in idle.methods()}
    for called in (*ACTIVITIES.values(), *FINDINGS.values()):
        assert registered[name_of(called)].__func__ is called  # type: ignore[attr-defined]
    beside = {
        name_of(Heartbeats.report_heartbeat),
        name_of(Maintenance.announce_windows),
    }  # no incident's request: the watch of a heartbeat calls it
    assert set(registered) - beside == {name_of(called) for called in (*ACTIVITIES.values(), *FINDINGS.values())}


def test_each_activity_takes_the_request_that_it_fulfils() -> None:
    for kind, method in (ACTIVITIES | FINDINGS).items():
        [request] = [hint for name, hint in get_type_hints(method).items() if name != "return"]
        assert request is kind, method.__qualname__


def test_each_activity_returns_the_one_type_that_its_request_declares(idle: ActivitySet) -> None:
    fulfilled_by = {name_of(method): kind for kind, method in (ACTIVITIES | FINDINGS).items()}
    for method in idle.methods():
        if kind := fulfilled_by.get(name_of(method)):
            assert get_type_hints(method)["return"] == kind.result_type(), kind
            assert len(declarations(kind)) == 1, kind
    assert {kind for kind in ACTIVITIES if not issubclass(kind.result_type(), ActivityResult)} == set()


def declarations(kind: type[ActivityRequest[Any]]) -> list[type]:
    """The bases that say what a request returns."""
    return [base for base in kind.__mro__ if getattr(base, "__pydantic_generic_metadata__", {}).get("args")]


def test_a_request_that_declares_no_result_is_an_error() -> None:
    with pytest.raises(TypeError, match="ActivityRequest does not declare"):
        ActivityRequest.result_type()


def test_every_request_has_an_activity() -> None:
    assert not set(ACTIVITIES) & set(FINDINGS)
    assert {*ACTIVITIES, *FINDINGS} == set(leaves(ActivityRequest))


def test_only_those_that_ask_temporal_are_asynchronous(idle: ActivitySet) -> None:
    found = {name_of(method) for method in idle.methods() if inspect.iscoroutinefunction(method)}
    asking = {"allocate_number", "find_rollback", "measure_baseline", "find_lock_holder", "follow_rollback"}
    assert found == asking | {"report_heartbeat", "announce_windows"}
