"""`incident explain`: the runbook in plain words."""

import pytest

from tests.cli.conftest import Incidental, reason

P0 = """P0, Critical
Is           Product unavailable; evaluations fail for all customers; data loss
             or a security breach in progress.
Pages        On-call engineer is paged at once, and has 5m to acknowledge. After
             30m without activity since the acknowledgement, On-call engineer is
             paged again.
Escalates    CTO by page and email at once, unless it is resolved. Second
             on-call engineer by page when the acknowledgement is overdue (5m),
             unless it is acknowledged. CEO by page and email after 30m, unless
             it is mitigated.
"""


def test_a_p0_in_plain_words(incident: Incidental) -> None:
    said = incident("explain", "P0")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(P0)
    assert max(map(len, said.out.splitlines())) <= 80
    assert "Every 30m on status page, slack, email." in " ".join(said.out.split())
    assert "Due within 2d of the resolution." in " ".join(said.out.split())


def test_a_p3_pages_nobody_and_a_p2_has_no_postmortem(incident: Incidental) -> None:
    low = incident("explain", "p3", "--json").document
    assert low["severity"] == "P3"
    assert low["Pages"] == "Nobody is paged. It is to be acknowledged within 1 business day."
    assert low["Escalates"] == "To nobody."
    assert low["Updates"] == "One update, on resolution, on issue tracker."
    assert incident("explain", "P2", "--json").document["Post-mortem"] == "None, unless a responder starts one."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("P9",), "'P9' is not one of P0, P1, P2, P3"),
        (("P0", "--service", "nothing"), "--service: 'nothing' is not one of flag-evaluation"),
    ],
)
def test_a_mistake_is_one_line(incident: Incidental, words: tuple[str, ...], said: str) -> None:
    found = incident("explain", *words)
    assert (found.status, found.out) == (2, "")
    assert said in reason(found)
