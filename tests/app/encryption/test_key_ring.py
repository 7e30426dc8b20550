"""PAYLOAD_KEYS: the first key encrypts, all decrypt; a fault is named without telling a key."""

import base64

import pytest

from incidents.app.encryption.key_ring import NO_KEYS, new_key, parse_key_ring
from incidents.app.settings import load_settings
from incidents.app.temporal_settings import SettingsError, load_temporal_settings

KEY = base64.b64encode(b"k" * 32).decode()
SHORT = base64.b64encode(b"k" * 16).decode()


def test_the_first_key_encrypts_and_the_others_only_decrypt() -> None:
    ring = parse_key_ring(f"2026-11:{KEY}, 2026-06:{base64.b64encode(b'o' * 32).decode()},")
    assert [key.id for key in ring.keys] == ["2026-11", "2026-06"]
    assert ring.describe() == "on: 2026-11 encrypts; 2026-06 only decrypts"
    assert parse_key_ring(f"2026-11:{KEY}").describe() == "on: 2026-11 encrypts"


def test_without_keys_nothing_is_encrypted() -> None:
    assert parse_key_ring("") == NO_KEYS
    assert not NO_KEYS
    assert NO_KEYS.describe() == "off (PAYLOAD_KEYS is not set)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (KEY, "must be ID:KEY"),
        (f":{KEY}", "must be ID:KEY"),
        (f"a key:{KEY}", "must be ID:KEY"),
        ("2026-11:not base64!", "not in base64 (id 2026-11)"),
        (f"2026-11:{SHORT}", "16 bytes instead of 32 (id 2026-11)"),
        (f"2026-11:{KEY},2026-11:{KEY}", "has the key id 2026-11 twice"),
    ],
)
def test_a_fault_names_the_key_by_its_id_alone(text: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_KEYS", text)
    for load in (load_settings, load_temporal_settings):
        with pytest.raises(SettingsError, match="PAYLOAD_KEYS") as raised:
            load()
        assert fault in str(raised.value)
        assert not any(secret in str(raised.value) for secret in (KEY, SHORT, "not base64"))


def test_every_process_reads_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_KEYS", f"2026-11:{KEY}\n")
    assert load_settings().key_ring == load_temporal_settings().key_ring == parse_key_ring(f"2026-11:{KEY}")


def test_a_new_key_is_another_one_each_time() -> None:
    made = [new_key("2027-01") for _ in range(2)]
    assert made[0] != made[1]
    assert parse_key_ring(made[0]).keys[0].id == "2027-01"
    with pytest.raises(ValueError, match="key id"):
        new_key("a,b")
