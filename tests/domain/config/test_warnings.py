"""Warnings of a valid runbook, and all faults of an invalid one in one pass."""

from pathlib import Path

import pytest

from incidents.domain.config.communication import Channel
from incidents.domain.config.loading import parse_runbook, write_places
from incidents.domain.config.warnings import Surroundings, warnings
from incidents.domain.core.errors import RunbookError
from tests.support.incidents import RUNBOOK, TEXT

EVERYTHING = Surroundings()


def warned(text: str, around: Surroundings = EVERYTHING) -> list[str]:
    """The warnings that the shipped runbook has not."""
    usual = {message for _, message in warnings(RUNBOOK, around)} if around is EVERYTHING else set()
    found = [(place, message) for place, message in warnings(parse_runbook(text), around) if message not in usual]
    return write_places(text, "r.yaml", found)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def test_the_shipped_runbook_is_warned_of_once() -> None:
    [(place, message)] = warnings(RUNBOOK, EVERYTHING)
    assert place == ("severities", "P2", "escalation", 1, "after")
    assert message.startswith("engineering_manager is called after 4h, but reopen_window is 30m")


def test_another_company_is_not_warned_of_its_own_words() -> None:
    acme = parse_runbook(Path("tests/support/acme.yaml").read_text(encoding="utf-8"))
    assert not [message for _, message in warnings(acme, EVERYTHING) if "FeatureSignals" in message]


@pytest.mark.parametrize(
    ("old", "new", "part", "said"),
    [
        (
            "{contact: ceo, after: 30m",
            "{contact: ceo, after: 30h",
            "after: 30h",
            "severities.P0.escalation.2.after: ceo is called after 1d 6h, but reopen_window is 1d",
        ),
        ("every: 30m #", "every: 2m #", "every: 2m", "severities.P0.updates.every: an update every 2m, but the"),
        ("every: 30m #", "every: 2h #", "every: 2h", "severities.P0.updates.every: every 2h, but the milder P1"),
        (
            "{name: CEO, email: ceo@featuresignals.com}",
            "{name: CEO}",
            "{name: CEO}",
            "contacts.ceo: CEO cannot be reached",
        ),
    ],
)
def test_a_warning_names_line_and_field(old: str, new: str, part: str, said: str) -> None:
    text = TEXT.replace(old, new, 1)
    [found] = warned(text)
    assert found.startswith(f"r.yaml:{line_of(text, part)}: {said}")


def test_words_of_another_company_are_named() -> None:
    text = TEXT.replace("product: FeatureSignals", "product: Acme")
    places = [line.split(": ")[1] for line in warned(text)]
    assert {"team", "contacts.cto.email", "regions.0.url", "rollback.diff_url", "investigation.log_service"} <= {
        *places
    }


def test_a_channel_without_an_integration_is_named() -> None:
    around = Surroundings(channels_off={Channel.EMAIL: "SMTP_URL is not set"})
    found = [line for line in warned(TEXT, around) if "nothing goes out" in line]
    assert found == [
        f"r.yaml:{line_of(TEXT, 'channels: [status_page, slack, email]')}: severities.P0.updates.channels.2:"
        " nothing goes out on email: SMTP_URL is not set"
    ]


def test_a_contact_with_a_pager_of_their_own_can_be_reached() -> None:
    text = TEXT.replace("{name: CEO, email: ceo@featuresignals.com}", "{name: CEO}")
    assert not [line for line in warned(text, Surroundings(own_pagers=frozenset({"ceo"}))) if "CEO" in line]


def faults(text: str) -> list[str]:
    with pytest.raises(RunbookError) as error:
        parse_runbook(text, "r.yaml")
    return [line.partition(": ")[2] for line in str(error.value).splitlines()]


def test_all_faults_are_found_in_one_pass() -> None:
    """A field that is unknown or wrong no longer hides names that refer to nothing."""
    text = TEXT.replace("bake_time:", "bake_tme:").replace("{contact: ceo,", "{contact: nobody,")
    text = text.replace("silent_after: 30m # no", "silent_after: 30 # no").replace("inform: all", "inform: some")
    found = faults(text)
    assert len(found) == 4
    assert "rollback.bake_tme: unknown field" in found
    assert any(line.startswith("severities.P0.silent_after: ") for line in found)
    assert any(line.startswith("customers.inform: ") for line in found)
    assert any(line.startswith("severities.P0.escalation.2.contact: 'nobody' is not among") for line in found)


def test_what_was_left_out_is_not_a_second_fault() -> None:
    text = TEXT.replace("  ceo: {name: CEO, email: ceo@featuresignals.com}", "  ceo: 5")
    assert len(faults(text)) == 1
