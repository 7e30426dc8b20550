"""docs/effects.md, row by row: the reply of every effect is lost and its attempt repeated, and its attempt is late."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.registry import ActivitySet
from incidents.domain import activity_requests as requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.core.repeats import RepeatKind
from sandbox.server import RunningSandbox
from tests.activities.effects.cases import BY_NTFY, CASES, Case, Stage
from tests.activities.effects.test_attempts import Attempts
from tests.support.documents.effects import DOCUMENT as PAGE
from tests.support.documents.effects import all_requests, generated, with_effect
from workflows.activity_options import ACTIVITIES, FINDINGS

GARBAGE = "<html><body>Please log in</body></html>"
MOST_CALLS = 30
"""More than any attempt makes."""
ROOT = Path(__file__).resolve().parents[3]
HELD_ELSEWHERE = {requests.AllocateNumber: "tests/activities/test_numbers.py"}
"""Temporal is its vendor, which the sandbox does not stand in for."""


ROWS = {kind.__name__: case for kind, case in CASES.items()}
ROWS |= {f"{kind.__name__}-by-{case.vendor}": case for kind, case in BY_NTFY.items()}


@pytest.fixture(params=ROWS)
def case(request: pytest.FixtureRequest) -> Case:
    """Each row."""
    return ROWS[request.param]


@pytest.fixture
def stage(case: Case, wired: Callable[..., ActivitySet], sandbox: RunningSandbox, tmp_path: Path) -> Stage:
    """All activities with the sandbox, and the folder in which evidence is kept."""
    return Stage(wired(**case.environment(sandbox)), sandbox, tmp_path)


def attempts(stage: Stage, request: ActivityRequest[Any]) -> Attempts:
    """The attempts of a request's activity, bound to its real client."""
    name = {**ACTIVITIES, **FINDINGS}[type(request)].__name__
    method = next(method for method in stage.activities.methods() if method.__name__ == name)
    return Attempts(method, request)


def test_every_effect_is_tried_here() -> None:
    assert set(CASES) | set(HELD_ELSEWHERE) == set(with_effect())
    assert all((ROOT / path).exists() for path in HELD_ELSEWHERE.values())


def test_what_happens_again_after_a_lost_reply(case: Case, stage: Stage) -> None:
    request = case.request(stage)
    before, tried = case.seen(stage), attempts(stage, request)
    if case.vendor:
        stage.sandbox.fault(case.vendor, "lost_reply", case.lost)
        tried.fails()
    else:
        tried.next()  # a store has no reply to lose: the worker dies before it reports
    after_one = case.seen(stage)
    tried.next()
    assert after_one != before, "the effect of the first attempt is seen"
    if request.repeat.kind is RepeatKind.SENT_AGAIN:
        assert case.seen(stage) == after_one + 1
    else:
        assert case.seen(stage) == after_one


@pytest.mark.parametrize("case", [name for name, case in ROWS.items() if case.vendor], indirect=True)
def test_an_answer_that_is_not_the_vendors_counts_for_nothing(case: Case, stage: Stage) -> None:
    """A page of something in between, with status 200, in place of each answer that an attempt reads."""
    attempts(stage, request := case.request(stage)).next()
    wanted = case.seen(stage)
    for place in range(MOST_CALLS):
        stage.sandbox.reset()
        tried = attempts(stage, request := case.request(stage))
        stage.sandbox.fault(case.vendor, "lost_reply", status=200, body=GARBAGE, skip=place)
        made = until_done(tried)
        if not struck(stage):
            return
        again = made - 1 if request.repeat.kind is RepeatKind.SENT_AGAIN else 0
        assert case.seen(stage) in (wanted, wanted + again if again else wanted), f"call {place}"
    raise AssertionError("an attempt never ends")


def until_done(tried: Attempts) -> int:
    """Make attempts until one succeeds; return how many. None of the errors says that it is no use."""
    errors = []
    for _ in range(3):
        try:
            tried.next()
            break
        except ApplicationError as error:
            errors.append(error)
    assert len(errors) < 3, errors
    assert not [error.message for error in errors if error.non_retryable]
    return len(errors) + 1


def struck(stage: Stage) -> bool:
    """Tell whether the fault has struck."""
    return any(call["fault"] for call in stage.sandbox.calls())


def test_a_paused_worker_does_nothing_when_it_wakes_up(case: Case, stage: Stage) -> None:
    request = case.request(stage)
    before, tried = case.seen(stage), attempts(stage, request)
    with suppress(ApplicationError):
        tried.next(seconds=-30)
    assert case.seen(stage) == before
    tried.next()
    assert case.seen(stage) != before, "the next attempt does it"


def test_the_document_shows_every_request() -> None:
    text = generated(PAGE.read_text(encoding="utf-8"))
    if os.environ.get("WRITE_DOCS") == "1":
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "run make effects"
    assert all(f"`{kind.__name__}`" in text for kind in all_requests())
