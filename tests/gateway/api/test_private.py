"""Private incidents in the API: who has no scope for them neither reads nor commands them."""

import httpx

from incidents.app.api_tokens import Scope
from tests.gateway.api.conftest import BODY, LIST, Token, opened, tell
from tests.support.environment import World


async def test_a_private_incident_is_read_with_its_scope_only(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str], token: Token
) -> None:
    path = await opened(live_world, api, ann, private=True)
    cleared = token("ann", Scope.READ, Scope.PRIVATE)
    for resource in (path, f"{path}/timeline"):
        refused = await api.get(resource, headers=ann)
        assert (refused.status_code, "is private" in refused.json()["error"]) == (403, True)
        assert (await api.get(resource, headers=cleared)).status_code == 200
    titles = [
        [each["title"] for each in (await api.get(LIST, headers=who)).json()["incidents"]] for who in (ann, cleared)
    ]
    assert titles == [[None], [BODY["title"]]]


async def test_24_a_private_incident_is_commanded_with_the_scope_only(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str], token: Token
) -> None:
    path = await opened(live_world, api, token("bob", Scope.RESPOND), private=True)
    read = (await api.get(path, headers=ann)).json()["error"]
    for command, fields in (("note", {"text": "x"}), ("ack", {}), ("decline", {"reason": "x"})):
        refused = await tell(api, path, command, ann, **fields)
        assert (refused.status_code, refused.json()["error"]) == (403, read), "as for who reads it"
    cleared = token("ann", Scope.RESPOND, Scope.PRIVATE)
    assert (await tell(api, path, "note", cleared, text="y")).status_code == 200
    await live_world.settled()
    texts = [entry.text for entry in (await live_world.incident()).timeline]
    assert "note refused: ann may not see it" in texts
    assert "x" not in texts
    assert "y" in texts
    other = await opened(live_world, api, ann)
    into = path.rpartition("/")[2]
    refused = await tell(api, other, "merge", ann, into=into)
    assert (refused.status_code, refused.json()["error"]) == (403, read)


async def test_24_no_body_says_that_its_sender_may_see_the_incident(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str]
) -> None:
    path = await opened(live_world, api, ann)
    refused = await tell(api, path, "note", ann, text="x", origin=None)
    assert refused.status_code == 422
