"""What a description says of a failing activity, in one line without secrets."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.api.enums.v1 import EventType, PendingActivityState, TimeoutType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure, TimeoutFailureInfo
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseResponse,
)
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.watching.retries import RetryReader, describe_failure
from incidents.domain.core.errors import ErrorType
from tests.support.incidents import T0, at


def failure(kind: str, message: str = "why") -> Failure:
    return Failure(message=message, application_failure_info=ApplicationFailureInfo(type=kind))


def pending(kind: str = ErrorType.VENDOR_UNAVAILABLE, *, attempt: int = 4, runs: bool = False) -> PendingActivityInfo:
    states = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED, PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    info = PendingActivityInfo(activity_id="7", attempt=attempt, state=states[not runs], last_failure=failure(kind))
    info.activity_type.name = "send_page"
    info.scheduled_time.FromDatetime(at(3))
    info.expiration_time.FromDatetime(at(60))
    return info


def described(*activities: PendingActivityInfo) -> WorkflowExecutionDescription:
    raw = DescribeWorkflowExecutionResponse(pending_activities=activities)
    return cast(WorkflowExecutionDescription, SimpleNamespace(id="w", run_id="r", start_time=T0, raw_description=raw))


class Histories:
    """A client whose reads of a history end as given, one after the other: an error, or a history."""

    namespace = "default"
    data_converter = pydantic_data_converter

    def __init__(self, *answers: RPCError | GetWorkflowExecutionHistoryReverseResponse) -> None:
        self._answers = list(answers)
        self.workflow_service = self

    async def get_workflow_execution_history_reverse(
        self, *_: Any, **__: Any
    ) -> GetWorkflowExecutionHistoryReverseResponse:
        answer = self._answers.pop(0)
        if isinstance(answer, RPCError):
            raise answer
        return answer

    @property
    def unread(self) -> int:
        return len(self._answers)


NO_HISTORY = RPCError("no", RPCStatusCode.UNAVAILABLE, b"")


async def history(summary: str) -> GetWorkflowExecutionHistoryReverseResponse:
    [payload] = await pydantic_data_converter.encode([summary])
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    event.activity_task_scheduled_event_attributes.activity_id = "7"
    event.user_metadata.summary.CopyFrom(payload)
    return GetWorkflowExecutionHistoryReverseResponse(history=History(events=[event]))


async def test_17_attempts_and_the_next_one_are_shown_also_without_history() -> None:
    reader = RetryReader(cast(Client, Histories(NO_HISTORY, NO_HISTORY)))
    [retry] = await reader.read(described(pending()))
    assert (retry.summary, retry.attempts, retry.failure) == ("send page", 3, "why")
    assert (retry.next_at, retry.gives_up_at) == (at(3), at(60))
    [running] = await reader.read(described(pending(runs=True)))
    assert (running.attempts, running.next_at) == (3, None)


async def test_17_what_an_activity_does_is_read_again_after_a_failed_read_and_then_once() -> None:
    client = Histories(NO_HISTORY, await history("Page alice"), await history("never read"))
    reader = RetryReader(cast(Client, client))
    seen = [(await reader.read(described(pending())))[0].summary for _ in range(3)]
    assert (seen, client.unread) == (["send page", "Page alice", "Page alice"], 1)


async def test_17_an_activity_that_is_older_than_what_is_read_is_looked_for_once() -> None:
    client = Histories(GetWorkflowExecutionHistoryReverseResponse(), await history("never read"))
    reader = RetryReader(cast(Client, client))
    seen = [(await reader.read(described(pending())))[0].summary for _ in range(2)]
    assert (seen, client.unread) == (["send page", "send page"], 1)


@pytest.mark.parametrize(
    "activity", [pending(ErrorType.UNCHANGED), pending(ErrorType.RUN_NOT_SEEN), pending(attempt=1)]
)
async def test_17_what_did_not_fail_is_not_shown(activity: PendingActivityInfo) -> None:
    assert await RetryReader(cast(Client, Histories())).read(described(activity)) == ()


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (
            failure(ErrorType.VENDOR_REJECTED, "smtp send: 550 <jo.doe+x@acme.example>\nno"),
            "smtp send: 550 <[address]> no",
        ),
        (failure("KeyError", "'password=hunter2'"), "error in this program (KeyError)"),
        (failure("", "hunter2"), "error in this program (unknown)"),
        (
            Failure(
                message="hunter2",
                timeout_failure_info=TimeoutFailureInfo(timeout_type=TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE),
            ),
            "no result in time",
        ),
    ],
)
def test_17_a_failure_is_one_line_without_addresses_or_secrets(last: Failure, said: str) -> None:
    assert describe_failure(last, last.message) == said


def test_17_a_long_failure_is_cut() -> None:
    assert len(describe_failure(failure(ErrorType.VENDOR_REJECTED), "x" * 10_000)) == 200
