"""The probes of runbook.yaml: any HTTP request, and what its answer must be."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import Region
from incidents.domain.config.probes import JsonCheck, Probe, credentials_proven
from incidents.domain.core.errors import RunbookError
from tests.support.incidents import RUNBOOK, T0, TEXT

HEALTH, EVALUATION = RUNBOOK.probes
EU = Region(name="eu", url="https://api.eu.example/", cluster="eu-001")
ACME_TEXT = Path("tests/support/acme.yaml").read_text(encoding="utf-8")


def test_the_default_probes_are_the_products() -> None:
    assert (HEALTH.method, EU.address(HEALTH)) == ("GET", "https://api.eu.example/health")
    assert (EVALUATION.method, EU.address(EVALUATION)) == ("POST", "https://api.eu.example/v1/evaluate")
    assert EVALUATION.variables == ("PROBE_API_KEY",)
    assert EVALUATION.filled_headers({"PROBE_API_KEY": "k"}) == {"X-API-Key": "k"}
    assert [probe.measures_latency for probe in RUNBOOK.probes] == [False, True]


@pytest.mark.parametrize(
    ("probe", "status", "answer", "fault"),
    [
        (HEALTH, 200, {"status": "ok", "service": "featuresignals"}, ""),
        (HEALTH, 200, {}, "answered without status"),
        (HEALTH, 200, {"status": "degraded"}, "answered status degraded"),
        (HEALTH, 200, "<html>Please log in</html>", "answered, but not in JSON"),
        (HEALTH, 200, [], "answered without status"),
        (HEALTH, 200, "", "answered, but not in JSON"),
        (HEALTH, 204, "", "answered 204"),
        (HEALTH, 302, "", "answered 302 (a redirect)"),
        (HEALTH, 429, {"error": "x"}, "answered 429 (too many requests)"),
        (HEALTH, 503, {"status": "ok"}, "answered 503"),
        (EVALUATION, 200, {"value": None, "reason": "NOT_FOUND"}, ""),
        (EVALUATION, 200, {"value": True, "reason": "DISABLED"}, ""),
        (EVALUATION, 200, {"reason": "ERROR"}, "answered reason ERROR"),
        (EVALUATION, 200, {"status": "ok"}, "answered without reason"),
        (EVALUATION, 403, {"error": "forbidden"}, "answered 403"),
    ],
)
def test_what_an_answer_must_be(probe: Probe, status: int, answer: Any, fault: str) -> None:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    assert probe.fault(status, body.encode()) == fault


@pytest.mark.parametrize(
    ("check", "answer", "fault"),
    [
        ({"path": "a.1.b", "equals": 2}, {"a": [{}, {"b": 2}]}, ""),
        ({"path": "a.1.b"}, {"a": [{}, {"b": None}]}, ""),
        ({"path": "a.2.b"}, {"a": [{}, {}]}, "answered without a.2.b"),
        ({"path": "a.b"}, {"a": "b"}, "answered without a.b"),
        ({"path": "0"}, {"0": "a key of digits"}, ""),
        ({"path": "up", "equals": True}, {"up": True}, ""),
        ({"path": "up", "equals": True}, {"up": 1}, "answered up 1"),
        ({"path": "up", "equals": 1}, {"up": True}, "answered up true"),
        ({"path": "up", "not_equals": [0, "down"]}, {"up": "down"}, "answered up down"),
        ({"path": "load", "equals": 1}, {"load": 1.0}, ""),
        ({"path": "a", "equals": "x"}, {"a": {"b": 1}}, 'answered a {"b": 1}'),
        ({"path": "a", "equals": "x"}, {"a": "y\n" * 100}, f"answered a {'y ' * 19}y…"),
    ],
)
def test_the_value_at_a_path(check: dict[str, Any], answer: Any, fault: str) -> None:
    assert JsonCheck.model_validate(check).fault(answer) == fault


def test_a_body_is_not_looked_at_unless_the_probe_says_so() -> None:
    assert Probe(name="up", url="{api}/").fault(200, b"<html>") == ""
    assert Probe(name="up", url="{api}/", expect_status=(200, 503)).fault(503, b"") == ""


def test_one_value_stands_for_a_list_of_one() -> None:
    probe = Probe.model_validate({"name": "up", "url": "{api}/", "expect_status": 204})
    assert probe.expect_status == (204,)
    assert JsonCheck.model_validate({"path": "a", "equals": "b"}).equals == ("b",)
    assert Probe.model_validate_json(probe.model_dump_json()) == probe


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "{api}/internal",
            "{host}/internal",
            "probes.0.url: {host} is not a placeholder: use {api}, {region}, {cluster}",
        ),
        ("{api}/internal", "{api.url}/internal", "probes.0.url: {api.url} is not a placeholder"),
        ("{api}/internal", "${STORE_URL}/internal", "probes.0.url: {STORE_URL} is not a placeholder"),
        ("{api}/internal", "{api/internal", "probes.0.url: a brace without its partner"),
        ("{api}/internal", "/internal", "probes.0.url: must begin with {api}, http:// or https://"),
        ("{api}/internal", "ftp://x/internal", "probes.0.url: must begin with {api}, http:// or https://"),
        ("{api}/internal", "https://ann:pw@x/internal", "probes.0.url: must hold no credentials"),
        ("checks.0.state", "'$.checks[0].state'", "probes.0.expect_json.path: '$.checks[0].state' is not a path"),
        ("checks.0.state", "checks..state", "probes.0.expect_json.path: 'checks..state' is not a path"),
        ("${ACME_STORE_TOKEN}", "${ACME STORE}", "probes.0.headers: Authorization: an environment variable is written"),
        (
            "${ACME_STORE_TOKEN}",
            "s3cret",
            "probes.0.headers: Authorization: name an environment variable, such as ${API",
        ),
        ("Authorization:", "Author ization:", "probes.0.headers: 'Author ization' is not the name of a header"),
        ('"Bearer ', '"Bearer\\n', "probes.0.headers: Authorization: only printable ASCII characters can be sent"),
        ("[200, 203]", "[]", "probes.0.expect_status"),
        ("[200, 203]", "2000", "probes.0.expect_status.0"),
        ("expect_status:", "method: HEAD\n    expect_status:", "probes.0: the answer to HEAD has no JSON to check"),
        ("expect_status:", "method: FETCH\n    expect_status:", "probes.0.method"),
        ("expect_status:", "expect:", "probes.0.expect: unknown field"),
        ("measures_latency: true", "measures_latency: false", "probes: one probe needs `measures_latency: true`"),
    ],
)
def test_nonsense_is_refused_with_one_line(old: str, new: str, error: str) -> None:
    broken = ACME_TEXT.replace(old, new, 1)
    assert broken != ACME_TEXT
    with pytest.raises(RunbookError) as raised:
        parse_runbook(broken, "acme.yaml")
    [line] = str(raised.value).splitlines()
    assert error in line
    assert int(line.split(":")[1]) > ACME_TEXT[: ACME_TEXT.index("probes:")].count("\n")


def test_regions_without_probes_are_refused() -> None:
    start, end = ACME_TEXT.index("probes:\n"), ACME_TEXT.index("services:\n")
    with pytest.raises(RunbookError, match="probes: one probe needs `measures_latency: true`"):
        parse_runbook(ACME_TEXT[:start] + ACME_TEXT[end:])


def test_only_one_probe_measures_the_latency_and_each_has_a_name_of_its_own() -> None:
    broken = TEXT.replace("  - name: evaluation #", "  - name: health #").replace(
        "    expect_json: {path: status,", "    measures_latency: true\n    expect_json: {path: status,"
    )
    with pytest.raises(RunbookError) as raised:
        parse_runbook(broken)
    named, measured = str(raised.value).splitlines()
    assert "probes.1.name: 'health' is the name of an earlier probe" in named
    assert "probes.1.measures_latency: 'health' measures the latency already, and only one can" in measured


def test_an_incident_opened_before_there_were_probes_can_be_read() -> None:
    old = RUNBOOK.model_dump(mode="json", exclude={"probes"})
    assert type(RUNBOOK).model_validate(old).probes == ()


@pytest.mark.parametrize(
    ("accepted", "proven"),
    [(None, False), (timedelta(), True), (timedelta(minutes=119), True), (timedelta(minutes=120), False)],
)
def test_accepted_credentials_count_as_good_for_two_hours(accepted: timedelta | None, proven: bool) -> None:
    assert credentials_proven(T0 - accepted if accepted is not None else None, T0) is proven
