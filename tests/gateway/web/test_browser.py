"""The pages in Chromium: on a phone and a desk, light and dark, by keyboard alone, without script, and live."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

from docs.screenshots import ARGUMENTS
from incidents.app.settings import Settings, load_settings
from incidents.domain.core.time.elapsed import countdown
from incidents.domain.incident.commands import AddNote, PostUpdate
from incidents.gateway.app import Gateway
from sandbox.temporal_server import free_port
from tests.gateway.web.test_acknowledge import SECRET, path_of
from tests.support.environment import World
from tests.support.fake_activities import an_offer
from tests.support.servers.asgi import Server, serving

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.timeout(300),  # a browser on a busy machine
]

AXE = (Path(__file__).parent / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PAGES = (
    "/",
    "/incidents/1",
    "/incidents/1?show=people",
    "/incidents/1/do/acknowledge",
    "/incidents/1/do/update",
    "/incidents/1/do/severity",
    "/incidents/1/do/assess",
    "/incidents/1/do/role",
    "/incidents/1/do/rollback",
    "/incidents/1/do/resolve",
    "/postmortems",
    "/report",
    "/incidents/999",
)
PHONE = {"viewport": {"width": 375, "height": 812}}


@dataclass
class Visit:
    """A browser's page before the gateway. `faults`: what the browser complained about."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.url}{path}")

    async def loaded(self) -> dict[str, int]:
        """What the page is made of: its address and those of all that it loads, each with its bytes."""
        await self.page.wait_for_load_state("load")
        found: list[tuple[str, int]] = await self.page.evaluate(
            """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
                .filter(entry => !["fetch", "eventsource", "other"].includes(entry.initiatorType))
                .map(entry => [entry.name, entry.decodedBodySize])"""
        )
        return dict(found)

    async def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        wide: int = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wide

    async def violations(self) -> list[str]:
        """What axe-core finds."""
        await self.page.evaluate(AXE)
        options = {"runOnly": {"type": "tag", "values": RULES}, "rules": {"target-size": {"enabled": True}}}
        found: dict[str, Any] = await self.page.evaluate("options => axe.run(document, options)", options)
        return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found["violations"]]


@dataclass
class Stage:
    """A gateway that listens, and a browser."""

    gateway: Gateway
    server: Server
    url: str
    browser: Browser

    @asynccontextmanager
    async def visit(self, **options: Any) -> AsyncIterator[Visit]:
        context = await self.browser.new_context(**PHONE | options)
        page = await context.new_page()
        visit = Visit(page, self.url)
        page.on("console", lambda said: visit.faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: visit.faults.append(str(error)))
        yield visit
        await context.close()


@pytest.fixture
async def stage(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, patient: None
) -> AsyncIterator[Stage]:
    """The gateway of a world with one incident, to which a rollback is offered."""
    port = free_port()
    monkeypatch.setenv("GATEWAY_URL", f"http://localhost:{port}")
    monkeypatch.setenv("GATEWAY_SECRET", SECRET)
    live_world.activities.offers = (an_offer(await live_world.now()),)
    await live_world.open()
    await live_world.tell(PostUpdate(by="ann", text="About half of all evaluations fail. " * 8))
    unbreakable = "averyveryverylongwordwithoutanybreak" * 5
    await live_world.tell(AddNote(by="ann", text=f"{unbreakable} https://x.example/{'a' * 90}"))
    gateway = Gateway(live_world.env.client, load_settings(), live_world.runbook)
    async with serving(gateway.app(), port) as server:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            yield Stage(gateway, server, server.url, browser)
            await browser.close()
        gateway.stop()


async def test_no_page_is_wider_than_its_screen_or_larger_than_60_kb(live_world: World, stage: Stage) -> None:
    for width in (320, 375, 1280):
        async with stage.visit(viewport={"width": width, "height": 800}) as visit:
            for path in (*PAGES, path_of(live_world)):
                await visit.open(path)
                assert await visit.overflow() <= 0, (path, width)
                loaded = await visit.loaded()
                assert loaded[f"{stage.url}{path}"] > 500
                assert any(address.endswith("/static/style.css") for address in loaded)
                assert sum(loaded.values()) < 60_000, path
                assert all(address.startswith(stage.url) for address in loaded), "nothing is from elsewhere"


async def test_every_page_is_accessible_and_dark_is_dark(live_world: World, stage: Stage) -> None:
    for scheme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 23, 29)")):
        async with stage.visit(color_scheme=scheme) as visit:
            for path in (*PAGES, path_of(live_world)):
                await visit.open(path)
                assert await visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == background
                assert await visit.violations() == [], (path, scheme)
            assert [fault for fault in visit.faults if "404" not in fault] == []


async def focused(page: Page) -> str:
    words: str = await page.evaluate("(document.activeElement.textContent || '').trim()")
    return words


async def tab_to(page: Page, words: str) -> None:
    """Press Tab until the element with these words has the focus; it must be visible that it has."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await focused(page) == words:
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) != "none", words
            return
    raise AssertionError(f"{words} cannot be reached")


async def test_an_incident_is_acknowledged_by_keyboard_alone(live_world: World, stage: Stage) -> None:
    async with stage.visit() as visit:
        await visit.open("/")
        await visit.page.keyboard.press("Tab")
        assert await focused(visit.page) == "Skip to content"
        await visit.page.keyboard.press("Enter")
        await visit.page.keyboard.press("Tab")
        assert (await focused(visit.page)).startswith("INC-1"), "the first in the content is the first incident"
        await visit.page.keyboard.press("Enter")
        await visit.page.wait_for_url("**/incidents/1")
        await tab_to(visit.page, "Acknowledge")
        await visit.page.keyboard.press("Enter")
        await visit.page.wait_for_url("**/do/acknowledge")
        await tab_to(visit.page, "Acknowledge")
        await visit.page.keyboard.press("Enter")
        await visit.page.get_by_text("Acknowledged by").first.wait_for()
        await live_world.tell(AddNote(by="bob", text="the cache is empty"))
        await visit.page.get_by_text("the cache is empty").first.wait_for()
        assert await visit.page.locator("#message").count() == 1, "the answer stays while the page is read again"
    assert (await live_world.incident()).paging.attended


async def test_an_update_is_published_without_script(live_world: World, stage: Stage) -> None:
    async with stage.visit(java_script_enabled=False) as visit:
        await visit.open("/incidents/1")
        await visit.page.get_by_role("link", name="Update", exact=True).click()
        await visit.page.get_by_label("Text").fill("Evaluations are slow in Europe.")
        await visit.page.get_by_role("button", name="Check").click()
        await visit.page.get_by_role("heading", name="Customers read").wait_for()
        await visit.page.get_by_role("button", name="Update").click()
        await visit.page.wait_for_url("**/incidents/1")
    assert (await live_world.incident()).updates.published[-1].text == "Evaluations are slow in Europe."


async def test_one_tap_on_a_phone_acknowledges_a_page(live_world: World, stage: Stage) -> None:
    async with stage.visit(has_touch=True, is_mobile=True) as visit:
        await visit.open(path_of(live_world))
        await visit.page.get_by_role("button", name="Acknowledge").tap()
        await visit.page.get_by_text("Acknowledged by").first.wait_for()
    assert (await live_world.incident()).paging.attended


async def test_an_open_page_shows_what_happens_and_counts_down(live_world: World, stage: Stage) -> None:
    async with stage.visit() as visit:
        await visit.open("/incidents/1")
        await visit.page.get_by_role("status").filter(has_text="Live").wait_for()
        await visit.page.get_by_text("Versions considered").click()
        await visit.page.get_by_role("link", name="people").focus()
        await live_world.tell(AddNote(by="bob", text="the cache is empty"))
        await visit.page.get_by_text("the cache is empty").first.wait_for()
        assert await visit.page.locator("details[open]").count() == 1, "what was open stays open"
        assert await focused(visit.page) == "people", "what had the focus keeps it"
        shown: dict[str, Any] = await visit.page.evaluate(
            """() => new Promise(done => setTimeout(() => {
                const time = document.querySelector("time[data-countdown]");
                done({ at: time.dateTime, words: time.textContent, now: Date.now() });
            }, 1100))"""
        )
        at, now = datetime.fromisoformat(shown["at"]), shown["now"] / 1000
        said = [countdown(at, datetime.fromtimestamp(now - late, UTC)) for late in (0, 1)]
        assert shown["words"] in said, "the script says durations as all else does"
        assert visit.faults == []


async def test_an_open_page_connects_again_after_a_refused_connection(live_world: World, stage: Stage) -> None:
    """A browser gives up for good after an answer such as 503."""
    answers = [503, 503]

    async def sometimes(route: Route) -> None:
        await (route.fulfill(status=answers.pop()) if answers else route.continue_())

    async with stage.visit() as visit:
        await visit.page.route("**/incidents/1/events*", sometimes)
        await visit.open("/incidents/1")
        await visit.page.get_by_role("status").filter(has_text="Live").wait_for()
        assert answers == []


async def test_an_open_page_says_that_its_reader_is_signed_out(live_world: World, stage: Stage) -> None:
    async with stage.visit() as visit:
        await visit.page.route("**/incidents/1/events*", lambda route: route.fulfill(status=403))
        await visit.open("/incidents/1")
        await visit.page.get_by_text("Not allowed any more: reload the page").wait_for()


async def test_the_gateway_stops_although_a_page_waits_for_news(stage: Stage) -> None:
    async with stage.visit() as visit:
        await visit.open("/incidents/1")
        await visit.page.get_by_role("status").filter(has_text="Live").wait_for()
        stage.gateway.stop()
        stage.server.should_exit = True
        await visit.page.get_by_text("Reconnecting").wait_for()
        async with asyncio.timeout(60):
            await stage.server.stopped.wait()
