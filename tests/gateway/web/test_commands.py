"""Commands from the pages: each is confirmed with what it does, sent once, and only from a page of this session."""

import re
from datetime import timedelta
from html import unescape
from ipaddress import ip_network

import httpx
import pytest

from incidents.app.settings import Settings
from incidents.domain.incident.commands import Acknowledge
from incidents.domain.rollback.state import RollbackStatus
from tests.gateway.web.browsing import browsing, words
from tests.support.environment import World
from tests.support.fake_activities import an_offer


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


async def confirm(site: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    """Fill in a command's form, if it has one, and return its confirmation."""
    page = await site.get(f"/incidents/1/do/{path}")
    assert page.status_code == 200, words(page)
    return await site.post(f"/incidents/1/do/{path}", data=fields(page) | typed | {"step": "check"})


async def give(site: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    """Give a command to its end, and return the page that follows."""
    confirmation = await confirm(site, path, **typed)
    assert confirmation.status_code == 200, words(confirmation)
    answer = await site.post(f"/incidents/1/do/{path}", data=fields(confirmation) | {"step": "send"})
    assert answer.status_code == 303, words(answer)
    return await site.get(answer.headers["location"])


async def test_an_acknowledgement_is_confirmed_and_sent_as_the_reader(
    live_world: World, site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    await live_world.open()
    assert 'href="/incidents/1/do/acknowledge"' in (await site.get("/incidents/1")).text
    asked = await site.get("/incidents/1/do/acknowledge")
    shown = words(asked)
    assert "Acknowledge? INC-1 · P0 · investigating" in shown
    assert "You act as ann ." in shown
    assert "Recorded in the timeline Acknowledged by ann" in shown
    assert "Acknowledge the page" in shown.partition("Done at once")[2]
    assert not (await live_world.incident()).acknowledged_by, "to look changes nothing"
    answer = await site.post("/incidents/1/do/acknowledge", data=fields(asked) | {"step": "send"})
    assert answer.status_code == 303
    assert "Acknowledged by ann" in words(await site.get(answer.headers["location"]))
    assert (await live_world.incident()).acknowledged_by == "ann"
    assert 'href="/incidents/1/do/acknowledge"' not in (await site.get("/incidents/1")).text


async def test_an_update_shows_the_customers_message_and_its_readers_first(
    live_world: World, site: httpx.AsyncClient
) -> None:
    await live_world.open()
    shown = words(await confirm(site, "update", text="Half of all evaluations fail.", when="now"))
    message = shown.partition("Customers read")[2]
    assert "Half of all evaluations fail." in message
    assert "status page: everyone and its subscribers" in message
    assert "email: support@featuresignals.com, em@featuresignals.com" in message
    assert len((await live_world.incident()).updates.published) == 1
    page = words(await give(site, "update", text="Half of all evaluations fail.", when="now"))
    assert "Half of all evaluations fail." in page.partition("What customers read")[2]


async def test_words_that_customers_must_not_read_are_refused_before_they_are_sent(
    live_world: World, site: httpx.AsyncClient
) -> None:
    await live_world.open()
    refused = await confirm(site, "update", text="See https://grafana.internal/d/1", when="now")
    assert refused.status_code == 400
    assert "Customers would see a link" in words(refused)
    assert "https://grafana.internal/d/1</textarea>" in refused.text, "what was typed is still there"


COMMANDS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("note", {"text": "the cache is empty"}, "the cache is empty"),
    ("command", {}, "Commander: root"),
    ("role", {"role": "scribe", "person": "bob"}, "Scribe: bob"),
    ("escalate", {"reason": "no one answers"}, "Escalated to"),
    (
        "assess",
        {"impact": "Half of all evaluations fail.", "customers": "Acme, Globex"},
        "Acme, Globex (no e-mail address in runbook.yaml",
    ),
    ("hold", {"minutes": "10", "reason": "we verify"}, "held until"),
    ("flag", {"version": "v2.15.0", "reason": "it breaks"}, "v2.15.0"),
    ("confirm", {"restored": "false", "note": "still slow"}, "root: service is NOT restored (still slow)"),
    ("severity", {"severity": "P2", "reason": "one region"}, "Severity P0 → P2"),
    ("monitor", {"text": "The error ratio is back to normal."}, "Monitoring: The error ratio is back to normal."),
    ("private", {"reason": "security"}, "Made private: security"),
    ("resolve", {"text": "It is over.", "force": "true", "reason": "quiet"}, "Resolved: It is over."),
)
CANCEL = ("cancel", {"reason": "a test"}, "Cancelled: a test")


@pytest.mark.parametrize("commands", [COMMANDS, (CANCEL,)], ids=["to its end", "cancelled"])
async def test_each_command_is_confirmed_with_what_is_recorded(
    live_world: World,
    site: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    commands: tuple[tuple[str, dict[str, str], str], ...],
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    await live_world.open()
    await live_world.tell(Acknowledge(by="ann"))
    for path, typed, recorded in commands:
        before = len((await live_world.incident()).timeline)
        assert recorded in words(await confirm(site, path, **typed)), path
        await give(site, path, **typed)
        entries = (await live_world.incident()).timeline[before:]
        assert "root" in [entry.actor for entry in entries if recorded in entry.text], path


async def test_an_offered_rollback_is_approved_or_declined_for_its_cluster(
    live_world: World, site: httpx.AsyncClient
) -> None:
    live_world.activities.offers = (an_offer(await live_world.now()),)
    await live_world.open()
    page = await site.get("/incidents/1")
    assert 'href="/incidents/1/do/approve?cluster=eu-001"' in page.text
    approval = await site.get("/incidents/1/do/approve?cluster=eu-001")
    assert "Rollback of eu-001 approved by" in words(approval)
    assert "Rollback eu-001 bad → good · offered · just deployed" in words(approval)
    assert fields(approval)["cluster"] == "eu-001"
    form = await site.get("/incidents/1/do/decline?cluster=eu-001")
    asked = fields(form) | {"reason": "we clear the cache", "step": "check"}
    confirmation = await site.post("/incidents/1/do/decline", data=asked)
    await site.post("/incidents/1/do/decline", data=fields(confirmation) | {"step": "send"})
    [state] = (await live_world.incident()).rollback.clusters
    assert (state.status, state.detail) == (RollbackStatus.DECLINED, "we clear the cache")
    assert "do/approve" not in (await site.get("/incidents/1")).text


async def test_a_rollback_is_approved_to_the_version_that_was_shown(live_world: World, site: httpx.AsyncClient) -> None:
    live_world.activities.offers = (an_offer(await live_world.now()),)
    await live_world.open()
    shown = fields(await site.get("/incidents/1/do/approve?cluster=eu-001"))
    assert shown["version"] == "good"
    refused = await site.post("/incidents/1/do/approve", data=shown | {"version": "earlier", "step": "send"})
    assert refused.status_code == 400
    assert "The offer has changed: eu-001 would be rolled back to good, not to earlier." in words(refused)
    assert (await live_world.incident()).rollback.clusters[0].status is RollbackStatus.OFFERED
    assert (await site.post("/incidents/1/do/approve", data=shown | {"step": "send"})).status_code == 303


async def test_without_an_offer_there_is_nothing_to_approve(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    assert "do/approve" not in (await site.get("/incidents/1")).text
    refused = await site.get("/incidents/1/do/approve")
    assert refused.status_code == 400
    assert "No rollback offered" in words(refused)
    assert "<form" not in refused.text


async def test_a_form_sets_no_field_that_it_does_not_show(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    asked = await site.get("/incidents/1/do/acknowledge")
    sent = fields(asked) | {"step": "send", "by": "eve", "at": "2020-01-01T00:00:00Z"}
    await site.post("/incidents/1/do/acknowledge", data=sent)
    incident = await live_world.incident()
    assert incident.acknowledged_by != "eve"
    assert incident.acknowledged_at is not None
    assert incident.acknowledged_at > live_world.t0


async def test_what_the_runbook_refuses_is_said_on_the_form(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    refused = await confirm(site, "severity", severity="P0", reason="sure")
    assert refused.status_code == 400
    assert "INC-1 is already P0. Nothing was changed." in words(refused)
    empty = await confirm(site, "note", text=" ")
    assert empty.status_code == 400
    assert "text:" in words(empty)
    assert (await site.get("/incidents/1/do/nothing")).status_code == 404


async def test_two_taps_are_one_command(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    confirmation = await confirm(site, "note", text="only once")
    for _ in range(2):
        await site.post("/incidents/1/do/note", data=fields(confirmation) | {"step": "send"})
    assert (await live_world.said()).count("only once") == 1


async def test_46_an_escalation_from_an_older_page_is_refused(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    confirmation = await confirm(site, "escalate", reason="no one answers")
    await live_world.tell(Acknowledge(by="ann"))
    answer = await site.post("/incidents/1/do/escalate", data=fields(confirmation) | {"step": "send"})
    assert answer.status_code == 400
    assert "The incident has changed." in words(answer)


FORGED: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
    ({"form_token": ""}, {}),
    ({"form_token": "x" * 43}, {}),
    ({}, {"sec-fetch-site": "cross-site"}),
    ({}, {"sec-fetch-site": "same-site"}),
    ({}, {"origin": "https://evil.example.com"}),
    ({}, {"origin": "null"}),
    ({}, {"cookie": "incidents_session="}),
)


async def test_a_form_from_elsewhere_changes_nothing(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    for change, headers in FORGED:
        asked = await site.get("/incidents/1/do/acknowledge")
        if "cookie" in headers:
            site.cookies.clear()
        data = fields(asked) | {"step": "send"} | change
        answer = await site.post("/incidents/1/do/acknowledge", data=data, headers=headers)
        assert answer.status_code == 403, (change, headers)
        assert "Nothing was sent." in words(answer)
    assert not (await live_world.incident()).paging.attended


async def test_a_session_is_a_cookie_that_no_script_reads(live_world: World, settings: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, settings) as http:
        cookie = (await http.get("/incidents/1/do/acknowledge")).headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
    secure = settings.model_copy(
        update={"gateway_url": "https://incidents.example.com", "trusted_proxies": (ip_network("127.0.0.1"),)}
    )
    async with browsing(live_world, secure) as http:
        http.headers["x-forwarded-email"] = "ann@example.com"
        assert "secure" in (await http.get("/incidents/1/do/acknowledge")).headers["set-cookie"].lower()


async def test_a_command_is_queued_while_no_worker_runs(
    empty_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.gateway.web.command_pages._ANSWER_WITHIN", timedelta(seconds=1))
    async with browsing(empty_world, settings) as http:
        async with empty_world.worker():
            await empty_world.open()
            confirmation = await confirm(http, "note", text="the cache is empty")
        answer = await http.post("/incidents/1/do/note", data=fields(confirmation) | {"step": "send"})
        assert answer.status_code == 303
        shown = await http.get("/incidents/1")
        assert "The command is queued" in words(shown)
    async with empty_world.worker():
        await empty_world.settled()
        assert "the cache is empty" in await empty_world.said()
