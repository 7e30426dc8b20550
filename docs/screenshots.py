"""Takes the pictures of docs/images from a running demo: `make demo KEEP=1`, then this with its two addresses.

python docs/screenshots.py http://127.0.0.1:UI_PORT http://127.0.0.1:SANDBOX_PORT
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def shoot(page: Page, url: str, name: str, wait: str) -> None:
    """Open a page, wait until a text is on it, and take its picture."""
    page.goto(url)
    page.get_by_text(wait).first.wait_for(timeout=20_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / name)
    print(IMAGES / name)


def main(ui: str, sandbox: str) -> None:
    """Take every picture."""
    incident = f"{ui}/namespaces/default/workflows/incident-flag-evaluation%3Aproduction"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        shoot(page, f"{ui}/namespaces/default/workflows", "web-ui-list.png", "IncidentWorkflow")
        shoot(page, incident, "web-ui-timeline.png", "IncidentWorkflow")
        page.get_by_text("User Metadata").click()
        page.get_by_text("Next duties").first.wait_for(timeout=20_000)
        page.wait_for_timeout(1500)
        page.screenshot(path=IMAGES / "web-ui-incident.png")
        shoot(page, f"{sandbox}/", "sandbox.png", "incident-1")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
