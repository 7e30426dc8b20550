"""The product's audit of flag changes, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from incidents.vendors.errors import VendorUnauthorized
from incidents.vendors.product.flag_audit import FlagAuditClient
from sandbox.server import RunningSandbox, running_sandbox

UNTIL = datetime.now(UTC)
SINCE = UNTIL - timedelta(hours=1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def test_the_changes_are_read(sandbox: RunningSandbox) -> None:
    env = sandbox.environment()
    client = FlagAuditClient(env["PRODUCT_API_URL"], env["PRODUCT_API_TOKEN"])
    rows = list(client.entries(SINCE, UNTIL, 100))
    assert {row["action"] for row in rows} == {"flag.updated"}
    assert list(client.entries(SINCE, UNTIL, 2)) == rows[:2], "no more than asked for"


def test_a_wrong_token_is_refused(sandbox: RunningSandbox) -> None:
    with pytest.raises(VendorUnauthorized):
        list(FlagAuditClient(sandbox.environment()["PRODUCT_API_URL"], "wrong").entries(SINCE, UNTIL, 10))


def test_every_page_is_read_and_asked_for_in_json() -> None:
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        offset = int(request.url.params["offset"])
        rows = [{"id": n} for n in range(offset, min(offset + 1000, 2500))]
        return httpx.Response(200, json={"entries": rows, "total": 2500})

    client = FlagAuditClient("http://product", "t", transport=httpx.MockTransport(answer))
    assert [row["id"] for row in client.entries(SINCE, UNTIL, 10_000)] == list(range(2500))
    assert [page["offset"] for page in asked] == ["0", "1000", "2000"]
    assert {page["format"] for page in asked} == {"json"}
    assert asked[0]["from"] == SINCE.isoformat()
