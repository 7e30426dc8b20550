"""What the SDK's core logs is written in plain words, and never to standard output."""

import logging
from types import SimpleNamespace

import pytest

from incidents.app.telemetry.core_logs import core_logging, plain_words

REFUSED = (
    'Status { code: Unavailable, message: "tcp connect error", source: Some(tonic::transport::Error(Transport,'
    ' ConnectError(ConnectError("tcp connect error", 127.0.0.1:7233, Os { code: 111, kind: ConnectionRefused })))) }'
)


@pytest.mark.parametrize(
    ("message", "fields", "said"),
    [
        (
            "gRPC call poll_workflow_task_queue retried 8 times",
            {"error": REFUSED},
            "Temporal does not answer: poll_workflow_task_queue was tried 8 times (tcp connect error)",
        ),
        (
            "Failed to get versions",
            {"error": 'Status { code: Unknown, message: "say \\"hello\\"" }'},
            'Failed to get versions (say \\"hello\\")',
        ),
        ("Worker stops", {"error": "\x1b[31mcrash"}, "Worker stops ([31mcrash)"),
        ("Worker stops", {"task_queue": "incidents"}, "Worker stops"),
    ],
)
def test_a_line_of_the_core_is_a_sentence_with_its_cause(message: str, fields: dict[str, str], said: str) -> None:
    assert plain_words(message, fields) == said


def test_a_record_of_the_core_is_rewritten_once_configured(caplog: pytest.LogCaptureFixture) -> None:
    core_logging()
    config = core_logging()
    assert config.forwarding is not None
    logger = config.forwarding.logger
    assert len(logger.filters) == 1
    entry = SimpleNamespace(
        level=logging.WARNING,
        target="temporalio_client::retry",
        message="gRPC call poll_activity_task_queue retried 9 times",
        fields={"error": REFUSED},
        time=0.0,
    )
    config.forwarding._on_logs([entry])
    said = "Temporal does not answer: poll_activity_task_queue was tried 9 times (tcp connect error)"
    assert caplog.messages == [said]
