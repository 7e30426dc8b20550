"""The pages that show something, against a real Temporal server and a worker: without script, escaped, and cheap."""

import re
from html.parser import HTMLParser
from unittest.mock import AsyncMock

import httpx
import pytest

from incidents.app.settings import Settings, load_settings
from incidents.domain.incident.commands import Acknowledge, AddNote, MakePrivate, PostUpdate, Resolve
from tests.gateway.web.browsing import browsing, front_page, reads, words
from tests.support.environment import World
from tests.support.reads import SeenReads

PAGES = ("/", "/incidents/1", "/postmortems", "/report")
HOSTILE = "<script>alert(1)</script> \"quoted\" & 'so on' {{ 7 * 7 }}"


async def test_the_front_page_lists_open_incidents_and_what_is_due(live_world: World, site: httpx.AsyncClient) -> None:
    empty = await site.get("/")
    assert empty.status_code == 200
    assert "No open incidents." in words(empty)
    await live_world.open()
    shown = await front_page(site, "status update")
    assert "INC-1 P0 investigating flag-evaluation no commander" in shown
    assert re.search(r"Due next in \d+m( \d+s)? INC-1 : status update", shown)


async def test_an_incident_that_is_over_is_among_the_recent(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open("warning")
    await live_world.tell(Acknowledge(by="ann"))
    await live_world.tell(Resolve(by="ann", text="It is quiet again.", force=True, reason="quiet"))
    shown = await front_page(site, "P2 resolved")
    assert "No open incidents." in shown
    assert "Recent INC-1 P2 resolved" in shown


async def test_the_page_of_an_incident_shows_it_without_script(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    await live_world.tell(Acknowledge(by="ann"))
    await live_world.tell(PostUpdate(by="ann", text="About half of all evaluations fail."))
    shown = words(await site.get("/incidents/1"))
    assert "INC-1 EvaluationErrors is high P0 investigating Critical" in shown
    assert "acknowledged by ann" in shown
    assert re.search(r"Up next in \d+m", shown)
    assert re.search(r"☑ Acknowledge the alert \(done\)", shown)
    assert "About half of all evaluations fail. Update 2" in shown
    assert shown.index("Update 2 (manual)") < shown.index("ann Acknowledged"), "the newest entry comes first"


async def test_the_timeline_is_filtered(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    await live_world.tell(AddNote(by="ann", text="the cache is empty"))
    people = words(await site.get("/incidents/1?show=people")).partition("Timeline")[2]
    assert "the cache is empty" in people
    assert "Update 1" not in people
    assert "the cache is empty" not in words(await site.get("/incidents/1?show=system"))
    assert "the cache is empty" not in words(await site.get("/incidents/1?show=public"))


async def test_94_words_from_outside_stay_words(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    await live_world.tell(AddNote(by=HOSTILE[:90], text=HOSTILE))
    page = await site.get("/incidents/1")
    assert HOSTILE in words(page)
    assert "alert(1)</script>" not in page.text


async def test_a_page_queries_once_and_serves_its_other_viewers_without(live_world: World, settings: Settings) -> None:
    await live_world.open()
    seen = SeenReads()
    async with browsing(live_world, settings, client=seen.client(live_world.env.client)) as http:
        await http.get("/")
        await http.get("/postmortems")
        assert seen.queries == [], "lists read visibility alone"
        for _ in range(5):
            assert (await http.get("/incidents/1")).status_code == 200
        assert reads(seen.queries) == ["incident", "agenda"]


async def test_this_machine_sees_a_private_incident_as_the_cli_does(live_world: World, settings: Settings) -> None:
    await live_world.open()
    await live_world.tell(Acknowledge(by="ann"))
    await live_world.tell(MakePrivate(by="ann", reason="security"))
    async with browsing(live_world, settings) as http:
        assert "EvaluationErrors" in words(await http.get("/incidents/1"))


async def test_post_mortems_and_the_report_are_shown(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    assert "Every post-mortem is completed." in words(await site.get("/postmortems"))
    shown = words(await site.get("/report"))
    assert "Incidents 1 · P0 1" in shown
    assert "INC-1 EvaluationErrors is high" in shown
    chart = await site.get("/report/causes.svg")
    assert chart.headers["content-type"] == "image/svg+xml"
    assert "<script" not in chart.text


NOTHING_THERE = (
    ("/report?from=yesterday", 400),
    ("/report?from=2026-02-02&to=2026-01-01", 400),
    ("/report?from=0001-01-01&to=9999-12-31", 400),
    ("/report?plan=Nothing", 400),
    ("/report/nothing.svg", 404),
    ("/incidents/999", 404),
    ("/incidents/incident-nothing", 404),
    ("/incidents/" + "x" * 2000, 404),
    ("/incidents/%ff", 404),
    ("/incidents/1/do/note?cluster=" + "x" * 5000, 200),
    ("/incidents/1/probes/eu-001/0.svg", 404),
    ("/incidents/1?show=nothing&before=x", 200),
)


async def test_an_address_that_means_nothing_is_answered_plainly(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    for path, status in NOTHING_THERE:
        answer = await site.get(path)
        assert answer.status_code == status, path
        assert "<h1>" in answer.text


async def test_without_sign_in_another_machine_reads_nothing(live_world: World, settings: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, settings, peer="10.0.0.7") as http:
        for path in PAGES:
            answer = await http.get(path)
            assert answer.status_code == 403
            assert "INC-1" not in answer.text


class Markup(HTMLParser):
    """Finds what the content security policy forbids, and what comes from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.faults.append(f"{tag} has {name}")
            if name in ("src", "action") and not (value or "").startswith("/"):
                self.faults.append(f"{tag} loads {value}")
        if tag == "style" or (tag == "script" and not dict(attrs).get("src")):
            self.faults.append(f"inline {tag}")


async def test_pages_carry_a_policy_and_nothing_that_it_forbids(live_world: World, site: httpx.AsyncClient) -> None:
    await live_world.open()
    for path in (*PAGES, "/incidents/999"):
        answer = await site.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        markup = Markup()
        markup.feed(answer.text)
        assert markup.faults == []


async def test_pages_link_to_the_temporal_ui(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_world.open()
    monkeypatch.setenv("TEMPORAL_UI_URL", "http://localhost:8080/")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "ops")
    async with browsing(live_world, load_settings()) as http:
        page = (await http.get("/incidents/1")).text
        assert 'href="http://localhost:8080/namespaces/ops/workflows/incident-flag-evaluation%3Aproduction/' in page
        front = (await http.get("/")).text
        assert "workflows?query=WorkflowType+%3D+%27IncidentWorkflow%27+AND+ExecutionStatus" in front.replace(
            "&#39;", "'"
        )
    async with browsing(live_world, settings) as http:
        assert "Temporal UI" not in (await http.get("/")).text


async def test_without_a_worker_a_page_shows_what_visibility_knows(empty_world: World, settings: Settings) -> None:
    async with empty_world.worker():
        await empty_world.open()
    async with browsing(empty_world, settings) as http:
        assert "INC-1 P0 investigating" in await front_page(http, "INC-1 P0 investigating")
        page = await http.get("/incidents/1")
        assert page.status_code == 503
        assert "INC-1 flag-evaluation P0 investigating" in words(page)
        assert "No worker answered" in words(page)


async def test_what_was_read_is_shown_while_no_worker_answers(empty_world: World, settings: Settings) -> None:
    async with browsing(empty_world, settings) as http:
        async with empty_world.worker():
            await empty_world.open()
            await http.get("/incidents/1")
        await empty_world.handle.signal("nothing")  # its history has grown, and nobody can tell what it says
        page = await http.get("/incidents/1")
        assert page.status_code == 200
        assert "EvaluationErrors is high" in words(page)


async def test_a_storm_makes_no_large_page(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_world.open()
    [run] = [run async for run in live_world.env.client.list_workflows("WorkflowType = 'IncidentWorkflow'")]
    many = AsyncMock(return_value=[run] * 900)
    monkeypatch.setattr("incidents.gateway.web.reads.list_incidents", many)
    async with browsing(live_world, settings) as http:
        page = await http.get("/")
        assert len(page.content) < 60_000
        assert "The newest 100 of 900 are listed." in words(page)
