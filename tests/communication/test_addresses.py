"""No history of an incident, its rollback or its post-mortem holds a customer's address, or a secret."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from incidents.app.settings import load_settings
from incidents.domain.customers.config import CustomersSection
from incidents.domain.incident.commands import Assess, ConfirmRecovery, Resolve
from incidents.domain.rollback.state import RollbackStatus
from tests.communication.test_customers import rolled_back
from tests.support.communication.environment import Stage
from tests.support.determinism.histories import runs_of
from tests.support.postmortems import quiet

ACME, GLOBEX, LISTED = "ops@acme.example", "it@globex.example", "all@list.example"
STAFF = "support@featuresignals.com"
ROLLBACK = "rollback-eu-001-flag-evaluation"


@pytest.fixture
def customers() -> CustomersSection:
    contacts = {"ACME": ACME, "Globex": GLOBEX}
    return CustomersSection(contacts=contacts, emails=(LISTED,), answer_within=timedelta(hours=1))


async def whole_incident(stage: Stage) -> None:
    """A P0 that is rolled back and resolved. Since it was opened, Initech was removed from the workers' runbook."""
    known = stage.runbook.customers
    stage.runbook = stage.runbook.replace(customers=known.replace(names=(*known.names, "Initech")))
    refused = {"errors": [{"message": f"{ACME} and {LISTED} are greylisted"}]}
    stage.sandbox.fault("sendgrid", "status", "mail.send", status=503, body=refused, times=2)
    await rolled_back(stage)
    await stage.at(8)
    await stage.tell(Assess(by="ann", impact="Flags fail in Europe.", customers=("ACME", "Initech")))
    await stage.at(12)
    await stage.tell(ConfirmRecovery(by="bob", customer="ACME", restored=True))
    await stage.at(70)
    await stage.tell(Resolve(by="ann", text="All is well.", force=True, reason="seen"))
    await quiet(stage)


async def test_101_no_history_holds_an_address_of_a_customer_or_a_secret(
    stage: Stage, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    await whole_incident(stage)
    mailed = {mail.where for mail in stage.mails()} | {mail.where for mail in stage.mails("confirmation")}
    assert {ACME, GLOBEX, LISTED, STAFF} <= mailed, "everybody was mailed"
    said = await stage.said()
    assert any("could not reach Initech: the worker's runbook does not list them" in text for text in said)
    assert (await stage.incident()).rollback.clusters[0].status is RollbackStatus.HEALTHY

    recorded = {name: await record_of(stage.env.client, name) for name in (stage.handle.id, ROLLBACK, "postmortem-1")}
    evidence = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files(tmp_path))
    for name, text in (recorded | {"log": caplog.text, "evidence": evidence}).items():
        assert [secret for secret in (ACME, GLOBEX, LISTED, *secrets()) if secret in text] == [], name
        assert text, name
    assert all("ACME" in recorded[name] for name in (stage.handle.id, "postmortem-1")), "customers' names are there"
    assert STAFF in recorded[stage.handle.id], "and an address would be found"


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pem")


def secrets() -> list[str]:
    """Every secret that the settings of this test have."""
    values = (value for _, value in load_settings() if isinstance(value, SecretStr))
    found = [value.get_secret_value() for value in values if value]
    assert len(found) > 8
    return found


async def record_of(client: Client, workflow_id: str) -> str:
    """Everything that the server keeps of a workflow: its runs' events, its memo and its search attributes."""
    parts: list[str] = []
    async for run in runs_of(client, workflow_id):
        for event in run.events:
            parts += [str(event), *decoded(event)]
    about = WorkflowExecution(workflow_id=workflow_id)
    described = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=about)
    )
    return "\n".join((*parts, str(described), *decoded(described)))


def decoded(message: Any) -> Iterator[str]:
    """Every payload within a protobuf message, as its data reads."""
    if isinstance(message, Payload):
        yield message.data.decode("utf-8", "replace")
        yield repr(pydantic_data_converter.payload_converter.from_payload(message))
        return
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        held = value.values() if hasattr(value, "values") else value if hasattr(value, "__iter__") else (value,)
        for inner in held:
            if hasattr(inner, "ListFields"):
                yield from decoded(inner)
