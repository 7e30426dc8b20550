"""The sandbox's page on a phone, in a real browser."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from sandbox.server import RunningSandbox

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.timeout(120),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def test_it_is_as_wide_as_the_phone_and_no_row_is_squeezed(sandbox: RunningSandbox) -> None:
    sandbox.history(
        "eu",
        {"version": "v2.14.0", "status": "success"},
        {"version": "v2.15.0-bad", "status": "in_progress"},
        {"version": "v2.14.0", "status": "in_progress", "rollback_from": "v2.15.0-bad"},
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        phone = browser.new_page(viewport={"width": 375, "height": 800})
        phone.goto(sandbox.url)
        assert phone.evaluate("document.documentElement.scrollWidth") == 375
        wider = (
            "[...document.querySelectorAll('#regions table')].filter(one => one.getBoundingClientRect().right > 375)"
        )
        assert phone.evaluate(f"{wider}.length") == 0, "nothing is cut off"
        heights = phone.evaluate("[...document.querySelectorAll('#regions tr')].map(row => row.offsetHeight)")
        assert max(heights) < 100, "no column is squeezed to a letter"
        browser.close()
