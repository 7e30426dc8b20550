"""`incident keys`, what `incident check` says of the keys, and commands to an incident that is encrypted."""

from collections.abc import Iterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.contrib.pydantic import pydantic_data_converter

from incidents.app.encryption.converter import encrypting
from incidents.app.encryption.key_ring import NO_KEYS, new_key, parse_key_ring
from incidents.app.encryption.payloads import payloads_in
from incidents.cli.commands.operating.resetting import last_good_task
from incidents.client.problems import Undecryptable
from tests.cli.conftest import Incidental, Stage, changed, point_at, refused, standing
from tests.support.servers.dev_server import DevServer

KEYS = new_key("2026-11")
TITLE = "The checkout is down"


@pytest.fixture(scope="module")
def stage(dev_server: DevServer) -> Iterator[Stage]:
    with standing(dev_server, encrypting(pydantic_data_converter, parse_key_ring(KEYS))) as stage:
        yield stage


def test_a_new_key_is_printed_ready_to_be_set(incident: Incidental) -> None:
    said = incident("keys", "new", "2026-11")
    assert parse_key_ring(said.out.strip()).keys[0].id == "2026-11"
    assert "PAYLOAD_KEYS" in said.err
    made = incident("keys", "new", "2026-11", "--json").document
    assert parse_key_ring(made["key"])
    assert made["key"] != said.out.strip()
    assert incident("keys", "new", "2026,11").status == 2


def test_check_says_which_key_encrypts(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_KEYS", f"{new_key('2027-05')},{KEYS}")
    said = "on: 2027-05 encrypts; 2026-11 only decrypts"
    assert f"Payload encryption: {said}" in incident("check").out
    assert incident("check", "--json").document["encryption"] == said
    monkeypatch.setenv("PAYLOAD_KEYS", "2026-11:short")
    assert "PAYLOAD_KEYS has a key" in refused(incident("check"))


def test_the_command_line_reads_and_commands_with_the_key(
    stage: Stage, incident: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = stage.open(title=TITLE)
    point_at(monkeypatch, stage.address, stage.client.namespace)
    monkeypatch.setenv("PAYLOAD_KEYS", KEYS)
    assert incident("show", opened.number, "--json").document["title"] == TITLE
    assert TITLE in incident("list").out
    assert changed(incident("ack", opened.number, "--by", "ann", "--json")) == "Acknowledged by ann"
    assert "Encoded failure" not in refused(incident("reopen", opened.number, "--by", "ann", "--reason", "again"))
    history = stage.do(opened.handle.fetch_history())
    stored = [payload for event in history.events for payload in payloads_in(event)]
    assert len(stored) > 20
    assert not any(TITLE.encode() in payload.SerializeToString() for payload in stored)


@pytest.mark.parametrize("words", [("show",), ("timeline",), ("ack", "--by", "ann")])
def test_without_the_key_the_command_line_names_it(
    stage: Stage, incident: Incidental, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    opened = stage.open(title=TITLE)
    point_at(monkeypatch, stage.address, stage.client.namespace)
    monkeypatch.setenv("PAYLOAD_KEYS", new_key("2026-06"))
    said = refused(incident(words[0], opened.number, *words[1:]))
    assert said.startswith("A payload is encrypted with the key 2026-11, which PAYLOAD_KEYS of this process lacks")
    assert "Nothing is lost" in said
    sent = [event.event_type for event in stage.do(opened.handle.fetch_history()).events]
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED not in sent
    assert sent.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) == 1, "the alert that opened it"


def test_a_history_that_cannot_be_read_is_not_one_that_does_not_replay(stage: Stage) -> None:
    opened = stage.open(title=TITLE)
    history = stage.do(opened.handle.fetch_history())
    assert stage.do(last_good_task(history, stage.client.data_converter)) is not None
    with pytest.raises(Undecryptable, match="2026-11"):
        stage.do(last_good_task(history, encrypting(pydantic_data_converter, NO_KEYS)))
