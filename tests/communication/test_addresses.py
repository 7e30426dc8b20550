"""No history of an incident, its rollback or its post-mortem holds an address, of a customer or our own, or a secret.

With keys, none holds a word of the incident in clear text. One incident proves both: what its payloads hold once they
are decrypted is what a history without encryption holds.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.message import Message
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from incidents.app.encryption.codec import is_encrypted
from incidents.app.encryption.converter import encrypting
from incidents.app.encryption.key_ring import new_key, parse_key_ring
from incidents.app.encryption.payloads import payloads_in
from incidents.app.settings import load_settings
from incidents.domain.customers.config import CustomersSection
from incidents.domain.incident.commands import Assess, ConfirmRecovery, Resolve
from incidents.domain.rollback.state import RollbackStatus
from tests.communication.test_customers import rolled_back
from tests.support.communication.environment import Stage
from tests.support.determinism.histories import runs_of
from tests.support.environment import RUNBOOK
from tests.support.postmortems import quiet

ACME, GLOBEX, LISTED = "ops@acme.example", "it@globex.example", "all@list.example"
STAFF = "support@featuresignals.com"
CLEAR = (
    "EvaluationErrors is high",  # the title, also in the memo
    "Flags fail in Europe.",
    "All is well.",
    "ACME",
    "contact:support",
    "Publish update",  # from the summaries of activities
)
"""Words of the incident that stand in its payloads, and nowhere in clear text."""
ROLLBACK = "rollback-eu-001-flag-evaluation"


@pytest.fixture
def converter() -> DataConverter:
    return encrypting(pydantic_data_converter, parse_key_ring(new_key("2026-11")))


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
    caplog.set_level(logging.DEBUG, logger="httpx")  # which the programs quiet
    await whole_incident(stage)
    mailed = {mail.where for mail in stage.mails()} | {mail.where for mail in stage.mails("confirmation")}
    assert {ACME, GLOBEX, LISTED, STAFF} <= mailed, "everybody was mailed"
    said = await stage.said()
    assert any("could not reach Initech: the worker's runbook does not list them" in text for text in said)
    assert (await stage.incident()).rollback.clusters[0].status is RollbackStatus.HEALTHY

    kept = {name: await records_of(stage.env.client, name) for name in (stage.handle.id, ROLLBACK, "postmortem-1")}
    stored, read = ({name: texts[place] for name, texts in kept.items()} for place in (0, 1))
    evidence = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files(tmp_path))
    for name, text in (read | {"log": caplog.text, "evidence": evidence}).items():
        own = own_addresses() if name != "log" else []  # where clients log the requests to the vendors
        assert [secret for secret in (ACME, GLOBEX, LISTED, *own, *secrets()) if secret in text] == [], name
        assert text, name
    assert all("ACME" in read[name] for name in (stage.handle.id, "postmortem-1")), "customers' names are there"
    assert "contact:support" in read[stage.handle.id], "and references to our own people"
    assert [word for word in CLEAR if word not in "".join(read.values())] == [], "what is looked for would be found"
    for name, text in stored.items():
        assert [word for word in CLEAR if word in text] == [], f"{name} is stored in clear text"


def own_addresses() -> list[str]:
    """The addresses of our own people in the runbook that the workers have."""
    return [contact.email for contact in RUNBOOK.contacts.values() if contact.email]


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pem")


def secrets() -> list[str]:
    """Every secret that the settings of this test have."""
    values = (value for _, value in load_settings() if isinstance(value, SecretStr))
    found = [value.get_secret_value() for value in values if value]
    assert len(found) > 8
    return found


async def records_of(client: Client, workflow_id: str) -> tuple[str, str]:
    """Everything that the server keeps of a workflow: its runs' events, its memo and its search attributes.

    First as it is stored, then as those read it who have the keys.
    """
    stored: list[Message] = [event async for run in runs_of(client, workflow_id) for event in run.events]
    about = WorkflowExecution(workflow_id=workflow_id)
    stored.append(
        await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=about)
        )
    )
    payloads = [payload for message in stored for payload in payloads_in(message)]
    assert any(is_encrypted(payload) for payload in payloads)
    codec = client.data_converter.payload_codec
    assert codec is not None
    read = await codec.decode(payloads)
    return "\n".join((*map(str, stored), *map(text_of, payloads))), "\n".join((*map(str, stored), *map(text_of, read)))


def text_of(payload: Payload) -> str:
    """A payload's data, as they are and as they read."""
    plain = "" if is_encrypted(payload) else repr(pydantic_data_converter.payload_converter.from_payload(payload))
    return payload.data.decode("utf-8", "replace") + plain
