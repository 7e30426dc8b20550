"""Keys are made of their parts, and go through histories as their text."""

import copy
import pickle

import pytest
from pydantic import TypeAdapter, ValidationError

from incidents.domain.core.keys import Key
from incidents.domain.core.ledger import Ledger

KEY = Key("update", 3, "slack")


def test_a_key_is_its_text() -> None:
    assert (KEY, KEY.kind, KEY.parts) == ("update/3/slack", "update", ("3", "slack"))
    assert Key("update", 3).under("slack") == KEY
    assert {KEY: 1}[Key("update", "3/slack")] == 1


def test_a_history_holds_its_text_and_gives_it_back() -> None:
    ledger = Ledger(fulfilled=(KEY,))
    assert '"fulfilled":["update/3/slack"]' in ledger.model_dump_json()
    [read] = Ledger.model_validate_json(ledger.model_dump_json()).fulfilled
    assert (read, read.kind, read.parts) == (KEY, KEY.kind, KEY.parts)


@pytest.mark.parametrize("copied", [copy.copy(KEY), copy.deepcopy(KEY), pickle.loads(pickle.dumps(KEY))], ids=range(3))
def test_a_copy_keeps_its_parts(copied: Key) -> None:
    assert (copied, copied.kind, copied.parts) == (KEY, KEY.kind, KEY.parts)


def test_what_is_no_text_is_no_key() -> None:
    with pytest.raises(ValidationError, match="a key is a text"):
        TypeAdapter(Key).validate_python(7)
    assert TypeAdapter(Key).json_schema() == {"type": "string"}
