"""Customers' addresses are read from runbook.yaml and stay with the process: no snapshot of a runbook has any."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from temporalio.contrib.pydantic import pydantic_data_converter

from incidents.contracts import IncidentInput, PostmortemInput
from incidents.domain.config.loading import RunbookFile, parse_runbook_file
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.errors import RunbookError
from incidents.domain.customers.config import Customers, CustomersSection
from incidents.domain.customers.directory import CustomerDirectory
from incidents.domain.incident.state import Opening
from tests.support.incidents import T0, opened

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
ADDRESSES = ("ops@acme.example", "it@globex.example", "all@list.example")
SECTION = """
  emails: [all@list.example]
  contacts: {ACME: ops@acme.example, Globex: "IT <it@globex.example>"}
"""


def with_customers(section: str = SECTION) -> str:
    whole = TEXT.replace("  emails: []\n", "").replace("  contacts: {} # customer name", f"{section}  # customer name")
    assert whole != TEXT
    return whole


def file() -> RunbookFile:
    return parse_runbook_file(with_customers())


def test_a_runbook_knows_customers_by_name_and_the_directory_their_addresses() -> None:
    read = file()
    assert (read.runbook.customers.names, read.runbook.customers.listed) == (("ACME", "Globex"), True)
    assert read.customers.address(" acme ") == "ops@acme.example"
    assert read.customers.address("Initech") == ""
    assert read.customers.listed == ("all@list.example",)


def test_101_no_input_of_a_workflow_holds_an_address_of_a_customer() -> None:
    read, incident = file(), opened()
    opening = Opening(key="k", title="t", service="s", severity="P0", alerted_at=T0, source="ann")
    starts = (
        IncidentInput(opening=opening, runbook=read.runbook, incident=incident),
        PostmortemInput(incident=incident, runbook=read.runbook),
    )
    for start in starts:
        sent = json.loads(pydantic_data_converter.payload_converter.to_payload(start).data)
        assert not found(json.dumps(sent))
        assert "Globex" in json.dumps(sent), "their names are in it"
    assert not found(repr(read)), "nor does a log of the file"


def found(text: str) -> list[str]:
    return [address for address in ADDRESSES if address in text]


def test_101_a_runbook_cannot_carry_an_address_of_a_customer() -> None:
    section = CustomersSection(contacts={"ACME": "ops@acme.example"}, emails=("all@list.example",))
    given = {**dict(file().runbook), "customers": section.model_dump()}
    assert not found(RunbookConfig.model_validate(given).model_dump_json()), "what has no field is dropped"
    with pytest.raises(ValidationError, match="customers"):
        RunbookConfig.model_validate({**given, "customers": section})
    with pytest.raises(ValidationError, match="name the customer") as refused:
        Customers(names=("ops@acme.example",))
    assert not found(str(refused.value))
    assert all(field.annotation is not Any for field in Customers.model_fields.values())


def test_the_directory_is_nothing_that_can_be_serialized() -> None:
    assert not isinstance(file().customers, BaseModel)
    with pytest.raises(Exception, match="serialize"):
        TypeAdapter(object).dump_json(file().customers)


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("  contacts: {ACME: }\n", "customers.contacts.ACME: Input should be a valid string"),
        ("  contacts: {ACME: acme.example}\n", "customers.contacts.ACME: not an e-mail address"),
        ("  contacts: {ops@acme.example: ops@acme.example}\n", "name the customer as runbook.yaml does"),
        ("  contacts: [ACME]\n", "customers.contacts: Input should be a valid dictionary"),
        ("  emails: [all.list.example]\n", "customers.emails.0: not an e-mail address"),
        ("  names: [ACME]\n", "customers.names: unknown field"),
        ("  listed: true\n", "customers.listed: unknown field"),
    ],
)
def test_the_file_needs_an_address_of_each_customer(section: str, fault: str) -> None:
    with pytest.raises(RunbookError) as raised:
        parse_runbook_file(with_customers(section))
    [line] = [line for line in str(raised.value).splitlines() if fault in line]
    assert line.startswith("runbook.yaml:")
    assert "acme.example" not in line


def test_faults_of_customers_and_of_the_rest_are_told_at_once() -> None:
    text = with_customers("  contacts: {ACME: none}\n").replace("bake_time:", "bake_tme:")
    with pytest.raises(RunbookError) as raised:
        parse_runbook_file(text)
    assert len(str(raised.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("ops@acme.example", "ACME"),
        ("Joe <OPS@ACME.example>", "ACME"),
        ("it@globex.example", "it@globex.example"),
        ("zoe@nowhere.example", "zoe@nowhere.example"),
        ("ACME", "ACME"),
        ("", ""),
    ],
)
def test_60_an_answer_is_matched_to_the_only_customer_with_that_address(said: str, name: str) -> None:
    shared = {"ACME": "ops@acme.example", "Globex": "it@globex.example", "Globex EU": "it@globex.example"}
    assert CustomerDirectory(CustomersSection(contacts=shared)).resolve(said) == name
