"""Pages by ntfy: what the phone is sent for one page from trigger to resolution, whatever happens to the replies."""

from collections.abc import Callable
from typing import Any

import pytest

from activities.paging.ntfy import NtfyPager
from activities.registry import ActivitySet
from incidents.domain.activity_requests import SettlePage
from incidents.vendors.paging.ntfy import NtfyClient
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, perform
from tests.activities.paging.test_paging import PAGE
from tests.support.adapters import by_ntfy

SECRET = "secret-for-links-of-at-least-32-characters"
LOUD, SILENT = 5, 2


@pytest.fixture
def wire(wired: Callable[..., ActivitySet], sandbox: RunningSandbox) -> Callable[..., ActivitySet]:
    """Makes the activities of an environment whose pager is ntfy."""
    return lambda **changes: wired(**by_ntfy(sandbox) | changes)


@pytest.fixture
def phone(sandbox: RunningSandbox) -> Callable[[], list[tuple[Any, ...]]]:
    """Returns what arrived, oldest first: emoji, title, last line, priority."""

    def shown() -> list[tuple[Any, ...]]:
        rows = sandbox.state()["ntfy"][::-1]
        return [(row["tags"][0], row["title"], row["message"].split("\n")[-1], row["priority"]) for row in rows]

    return shown


def settle(activities: ActivitySet, action: str, key: str = PAGE.dedup_key, attempt: int = 1) -> None:
    perform(activities.paging.settle_page, SettlePage(key=f"k/{action}", dedup_key=key, action=action), attempt)


def test_a_page_rings_once_and_its_end_makes_no_sound(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox, phone: Callable[[], Any]
) -> None:
    activities = wire()
    for attempt in (1, 2):
        assert perform(activities.paging.send_page, PAGE, attempt).detail == "paged on_call"
    for action in ("acknowledge", "acknowledge", "resolve", "resolve", "acknowledge"):
        settle(activities, action)
    assert phone() == [
        ("rotating_light", "P0", "to: on_call", LOUD),
        ("eyes", "P0", "Acknowledged", SILENT),
        ("white_check_mark", "P0", "Resolved", SILENT),
    ]
    page, *ends = sandbox.state()["ntfy"][::-1]
    assert {end["sequence_id"] for end in ends} == {page["id"]}, "in the place of the page"
    assert page["message"] == "source: api\nto: on_call"
    perform(activities.paging.send_page, PAGE)
    assert phone()[3:] == [("rotating_light", "P0", "to: on_call", LOUD)], "after its end, the same key is a new page"


def test_an_acknowledged_page_does_not_ring_again(wire: Callable[..., ActivitySet], phone: Callable[[], Any]) -> None:
    activities = wire()
    perform(activities.paging.send_page, PAGE)
    settle(activities, "acknowledge")
    perform(activities.paging.send_page, PAGE.replace(summary="P0 [INC-1]"))
    assert [row[0] for row in phone()] == ["rotating_light", "eyes"]


def test_what_a_page_has_to_add_makes_no_sound_and_leaves_the_page_in_its_place(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox, phone: Callable[[], Any]
) -> None:
    activities, numbered = wire(), PAGE.replace(summary="P0 [INC-1]", links={"Channel": "https://chat.example/1"})
    perform(activities.paging.send_page, PAGE)
    for attempt in (1, 2):
        perform(activities.paging.send_page, numbered, attempt)
    perform(activities.paging.send_page, PAGE)
    assert [row[1:] for row in phone()] == [("P0", "to: on_call", LOUD), ("P0 [INC-1]", "to: on_call", SILENT)]
    assert not [row for row in sandbox.state()["ntfy"] if "sequence_id" in row]


def test_pages_of_other_keys_are_other_pages(wire: Callable[..., ActivitySet], phone: Callable[[], Any]) -> None:
    activities = wire()
    perform(activities.paging.send_page, PAGE)
    settle(activities, "resolve", "incident-y")
    perform(activities.paging.send_page, PAGE.replace(dedup_key="incident-y"))
    assert [(emoji, priority) for emoji, _, _, priority in phone()] == [("rotating_light", LOUD)] * 2


@pytest.mark.parametrize(("severity", "priority"), [("critical", 5), ("error", 5), ("warning", 4), ("info", 3)])
def test_how_loud_a_page_is(
    wire: Callable[..., ActivitySet], phone: Callable[[], Any], severity: str, priority: int
) -> None:
    perform(wire().paging.send_page, PAGE.replace(severity=severity))
    assert [row[3] for row in phone()] == [priority]


@pytest.mark.parametrize("status", [None, 502])
@pytest.mark.parametrize("action", ["trigger", "acknowledge", "resolve"])
def test_a_lost_reply_sends_nothing_twice(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox, phone: Callable[[], Any], status: int | None, action: str
) -> None:
    activities = wire()
    request: Any = SettlePage(key="k", dedup_key=PAGE.dedup_key, action=action)
    method: Callable[..., Any] = activities.paging.settle_page
    if action == "trigger":
        request, method = PAGE, activities.paging.send_page
    else:
        perform(activities.paging.send_page, PAGE)
    sandbox.fault("ntfy", "lost_reply", "POST", status=status)
    lost = failed(method, request)
    assert (lost.type, lost.non_retryable) == ("VendorUnavailable", False)
    before = phone()
    perform(method, request, attempt=2)
    assert phone() == before


def test_the_page_opens_the_incident_and_a_button_acknowledges(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox
) -> None:
    activities = wire(GATEWAY_URL="https://incidents.example", GATEWAY_SECRET=SECRET)
    links = {"Channel": "https://chat.example/1", "War room": "https://meet.example/1", "Alert": "https://x.example/1"}
    for attempt in (1, 2):
        perform(activities.paging.send_page, PAGE.replace(links=links), attempt)
    [page] = sandbox.state()["ntfy"]
    assert page["click"] == "https://incidents.example/incidents/incident-x"
    assert [action["label"] for action in page["actions"]] == ["Acknowledge", "Channel", "War room"]
    assert {action["action"] for action in page["actions"]} == {"view"}, "opening a link acknowledges nothing"
    assert page["actions"][0]["url"].startswith("https://incidents.example/acknowledge/")


def test_a_direct_page_is_the_workflows_first_one(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox, phone: Callable[[], Any]
) -> None:
    activities = wire(GATEWAY_URL="https://incidents.example", GATEWAY_SECRET=SECRET)
    activities.paging.send_page(PAGE)  # outside of an activity, as the gateway does
    perform(activities.paging.send_page, PAGE)
    assert [row[3] for row in phone()] == [LOUD, SILENT], "the second one has the button to acknowledge"


def test_a_token_that_may_not_read_still_pages(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox, phone: Callable[[], Any]
) -> None:
    activities = wire()
    sandbox.options(ntfy_reads=False)
    for attempt in (1, 2):
        perform(activities.paging.send_page, PAGE, attempt)
    settle(activities, "acknowledge")
    assert [row[0] for row in phone()] == ["rotating_light"] * 2, "twice: it cannot look, and not at all would be worse"


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_that_does_not_let_us_look_still_pages(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox, phone: Callable[[], Any], status: int
) -> None:
    sandbox.fault("ntfy", "status", "GET", status=status, body={"error": "no"}, times=None)
    perform(wire().paging.send_page, PAGE)
    assert [row[0] for row in phone()] == ["rotating_light"]


def test_21_a_wrong_token_is_final_and_never_told(wire: Callable[..., ActivitySet]) -> None:
    activities = wire(NTFY_TOKEN="wrong-but-secret-all-the-same")
    settled = SettlePage(key="k", dedup_key=PAGE.dedup_key, action="resolve")
    for refused in (failed(activities.paging.send_page, PAGE), failed(activities.paging.settle_page, settled)):
        assert (refused.type, refused.non_retryable) == ("VendorUnauthorized", True)
        assert "wrong-but-secret" not in f"{refused} {refused.details}"


def test_a_contact_with_a_topic_of_their_own_is_paged_there(
    wire: Callable[..., ActivitySet], sandbox: RunningSandbox
) -> None:
    activities = wire(NTFY_TOPICS='{"cto": "cto-77"}')
    for key, to in (("one", "on_call"), ("two", "cto")):
        perform(activities.paging.send_page, PAGE.replace(dedup_key=key, to=to))
        perform(activities.paging.settle_page, SettlePage(key="k", dedup_key=key, action="resolve", to=to))
    topics = [(row["topic"], row["tags"][0]) for row in sandbox.state()["ntfy"][::-1]]
    at = ["rotating_light", "white_check_mark"]
    assert topics == [*(("incidents-sandbox", what) for what in at), *(("cto-77", what) for what in at)]


def test_a_hostile_key_or_text_still_pages(sandbox: RunningSandbox, phone: Callable[[], Any]) -> None:
    client = NtfyClient(f"{sandbox.url}/ntfy/t", sandbox.credentials.ntfy_token)
    text = '"\\\x00é🚨\ud800' * 3000
    NtfyPager(client).send_event(
        "trigger", text, summary=text, source=text, custom_details={text: text}, links={text: f"https://x/{text}"}
    )
    assert len(phone()) == 1
