"""Status updates by an incoming webhook, on the cadence of all channels."""

from incidents.domain.config.communication import Channel
from tests.support.communication.environment import Stage, minutes


async def test_each_update_is_posted_with_its_number(stage: Stage) -> None:
    policy = stage.runbook.severities["P0"]
    updates = policy.updates.replace(channels=(*policy.updates.channels, Channel.WEBHOOK))
    severities = {**stage.runbook.severities, "P0": policy.replace(updates=updates)}
    stage.runbook = stage.runbook.replace(severities=severities)
    await stage.begin()
    await stage.at(31)
    posts = stage.ledger("webhook")
    assert minutes(posts) == minutes(stage.page_updates()) == [0, 30]
    assert ["(update 1)" in posts[0].text, "(update 2)" in posts[1].text] == [True, True]
