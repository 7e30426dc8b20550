"""Takes the pictures of docs/images: `make screenshots` (needs Debian's chromium).

A stage of its own is set: the embedded server, the sandbox, a worker, and an incident that a responder has just taken.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.server import running_sandbox
from sandbox.temporal_server import free_ports, running_temporal

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
ALERT = {"title": "Evaluation errors in eu above 5 %", "service": "flag-evaluation", "severity": "critical"}


def visit(page: Page, url: str) -> None:
    """Open a page, and stop if there is none: no picture shows an error."""
    answer = page.goto(url)
    if answer is not None and not answer.ok and answer.status != 304:
        raise SystemExit(f"{url}: {answer.status}")


def shoot(page: Page, url: str, name: str, wait: str, tab: str = "") -> None:
    """Open a page, wait until a text is on it, and take its picture."""
    visit(page, url)
    page.get_by_text(wait).first.wait_for(timeout=20_000)
    if tab:
        page.get_by_role("tab", name=tab).click()
    page.wait_for_timeout(2000)
    page.screenshot(path=IMAGES / name)
    print(IMAGES / name)


def learnt(browser: Browser) -> None:
    """Take the pictures of the example report, on a phone and on a desk, and of the post-mortem's chart."""
    report = (IMAGES.parent / "example-report.html").absolute().as_uri()
    phone = browser.new_page(viewport={"width": 390, "height": 1400}, device_scale_factor=2)
    phone.goto(report)
    if phone.evaluate("document.documentElement.scrollWidth") > 390:
        raise SystemExit("the report is wider than a phone")
    phone.screenshot(path=IMAGES / "report-phone.png")
    desk = browser.new_page(viewport={"width": 1000, "height": 1250})
    desk.goto(report)
    desk.screenshot(path=IMAGES / "report.png")
    desk.set_viewport_size({"width": 920, "height": 440})
    desk.goto((IMAGES.parent / "INC-1-chart.svg").absolute().as_uri())
    desk.screenshot(path=IMAGES / "postmortem-chart.png")


def rehearsed(browser: Browser) -> None:
    """Take the picture of a rehearsal's page, at the time of the rollback."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rehearsal.html"
        words = [sys.executable, "-m", "incidents.cli.main", "rehearse", "07-rollback", "--html", str(path)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        desk = browser.new_page(viewport={"width": 1200, "height": 740})
        desk.goto(path.as_uri())
        for _ in range(4):
            desk.get_by_role("button", name="Next event").click()
        desk.screenshot(path=IMAGES / "rehearsal.png")


def web_pages(browser: Browser, gateway: str) -> None:
    """Take the pictures of the gateway's pages: on a phone in light and dark, a confirmation, and on a desk."""
    pictures: tuple[tuple[Literal["light", "dark"], str, str], ...] = (
        ("light", "/incidents/1", "web-phone.png"),
        ("dark", "/incidents/1", "web-phone-dark.png"),
        ("light", "/incidents/1/do/approve?cluster=eu-001", "web-confirm.png"),
    )
    for scheme, path, name in pictures:
        phone = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme=scheme)
        visit(phone, f"{gateway}{path}")
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            raise SystemExit(f"{path} is wider than a phone")
        phone.wait_for_timeout(1200)
        phone.screenshot(path=IMAGES / name)
        print(IMAGES / name)
    desk = browser.new_page(viewport={"width": 1000, "height": 700})
    shoot(desk, f"{gateway}/", "web-front.png", "INC-1")


def slack(browser: Browser, sandbox: str) -> None:
    """Take the picture of the incident's channel: the summary, and the decision that is needed."""
    page = browser.new_page(viewport={"width": 1500, "height": 1100}, device_scale_factor=2)
    visit(page, f"{sandbox}/")
    page.get_by_text("Approve the rollback").first.wait_for(timeout=20_000)
    # As in Slack, the newest is last, and threads are folded.
    style = (
        ".messages { display: flex; flex-direction: column-reverse; max-height: none !important; overflow: visible }"
    )
    style += " .message.reply { display: none } main { grid-template-columns: 460px !important }"
    page.add_style_tag(content=style)
    channel = page.locator("#slack section").first
    channel.screenshot(path=IMAGES / "slack.png")
    print(IMAGES / "slack.png")


def take(ui: str, sandbox: str, gateway: str) -> None:
    """Take every picture."""
    incident = f"{ui}/namespaces/default/workflows/incident-flag-evaluation%3Aproduction"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 1050})
        shoot(page, incident, "web-ui-incident.png", "IncidentWorkflow", tab="User Metadata")
        shoot(page, incident, "web-ui-timeline.png", "IncidentWorkflow", tab="Timeline")
        shoot(page, f"{sandbox}/", "sandbox.png", "incident-1")
        phone = browser.new_page(viewport={"width": 390, "height": 640}, device_scale_factor=2)
        phone.goto((IMAGES.parent / "mail" / "update.html").absolute().as_uri())
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            raise SystemExit("the mail is wider than a phone")
        phone.screenshot(path=IMAGES / "mail-phone.png")
        slack(browser, sandbox)
        learnt(browser)
        web_pages(browser, gateway)
        rehearsed(browser)
        browser.close()


def main() -> None:
    """Set the stage, open an incident, and take its pictures."""
    home, (ui_port, gateway_port) = Path(tempfile.mkdtemp()), free_ports(2)
    with running_temporal(home / "temporal.db", ui_port=ui_port) as (address, _), running_sandbox() as sandbox:
        environment = {
            **os.environ,
            **sandbox.environment(),
            "TEMPORAL_ADDRESS": address,
            "EVIDENCE_URL": (home / "evidence").as_uri(),
            "ALERT_SPOOL": str(home / "spool"),
            "TEMPORAL_UI_URL": f"http://127.0.0.1:{ui_port}",
            "LOGNAME": "ann",  # who reads the pages on this machine
        }
        worker = subprocess.Popen([sys.executable, "worker.py"], env=environment, stderr=subprocess.DEVNULL)
        command = [sys.executable, "-m", "incidents.gateway.main", "--port", str(gateway_port)]
        gateway = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            sandbox.deploy("eu", "v2.15.0-bad")
            text = json.dumps(ALERT)
            subprocess.run([sys.executable, "starter.py", "-"], input=text, text=True, env=environment, check=True)
            time.sleep(5)
            for words in (["ack", "1"], ["assess", "1", "About half of all evaluations in Europe fail."]):
                command = [sys.executable, "-m", "incidents.cli.main", *words, "--by", "ann"]
                subprocess.run(command, env=environment, check=True)
            time.sleep(3)
            take(f"http://127.0.0.1:{ui_port}", sandbox.url, f"http://localhost:{gateway_port}")
        finally:
            for process in (gateway, worker):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
