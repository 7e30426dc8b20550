"""GitHub at the gateway: what became of an action item."""

import json
from typing import Any

import httpx

from incidents.domain.activity_results import IssueFact
from incidents.domain.incident.commands import Resolve
from incidents.domain.postmortem.commands import SetActionItem
from incidents.gateway import signatures
from tests.gateway.calls import githubs, opened
from tests.support import postmortems as learning
from tests.support.environment import World


def test_githubs_own_example_of_a_signature_fits() -> None:
    """docs.github.com, "Testing the webhook payload validation"."""
    header = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    assert signatures.from_github("It's a Secret to Everybody", header, b"Hello, World!")
    assert not signatures.from_github("It's a Secret to Everybody", header, b"Hello, World")


async def test_74_github_tells_at_once_what_became_of_an_action_item(
    live_world: World, http: httpx.AsyncClient
) -> None:
    world = live_world
    await opened(world, http)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.settled()
    due = (await world.now()).date()
    item = SetActionItem(by="ann", title="Test it", owner="on_call_backup", due=due, outcome="It runs in CI.")
    await learning.tell(world, item)
    await learning.quiet(world)
    [marker] = [marker for marker in world.activities.tickets if "item-1" in marker]
    issue: dict[str, Any] = {
        "number": world.activities.tickets[marker],
        "body": f"Do it.\n\n{marker}",
        "state": "closed",
    }
    event = {"action": "closed", "issue": issue | {"state_reason": "completed"}}
    world.activities.issues[issue["number"]] = IssueFact(number=issue["number"], state="closed", reason="completed")
    body = json.dumps(event).encode()
    answer = await http.post("/github", content=body, headers=githubs(body))
    assert (answer.status_code, answer.json()) == (202, {"action": "forwarded"})
    assert (await learning.state(world)).document.items[0].state == "done"
    others = json.dumps(event | {"issue": issue | {"body": "somebody else's"}}).encode()
    assert (await http.post("/github", content=others, headers=githubs(others))).json() == {"action": "ignored"}
    gone = json.dumps(event | {"issue": issue | {"body": marker.replace("postmortem-1 ", "postmortem-999 ")}}).encode()
    assert (await http.post("/github", content=gone, headers=githubs(gone))).json() == {"action": "ignored"}
    assert (await http.post("/github", content=b"[]", headers=githubs(b"[]"))).status_code == 400
