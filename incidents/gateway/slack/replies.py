"""Answer the person who typed or clicked, and nobody else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import aiohttp
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.errors import SlackApiError

from incidents.domain.core.text.mrkdwn import Mrkdwn
from incidents.vendors.slack.blocks import context

SLACK_HOSTS = ("hooks.slack.com",)
NETWORK = (aiohttp.ClientError, TimeoutError)
"""What the SDK raises when Slack does not answer. What Slack refuses is a `SlackApiError`."""
_log = logging.getLogger("gateway")


@contextmanager
def reaching_slack(what: str) -> Iterator[None]:
    """Log that something did not reach Slack, and go on: nothing depends on it."""
    try:
        yield
    except SlackApiError as error:
        _log.warning("Slack refused %s: %s", what, error.response.get("error"))
    except NETWORK as error:
        _log.warning("Slack did not get %s: %s", what, type(error).__name__)


def _are_blocks(blocks: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(blocks, list) and all(isinstance(block, dict) for block in blocks)


class Replies:
    """Messages that only the sender sees, to the response URL that Slack gave. `api_url`: the API's base URL."""

    def __init__(self, api_url: str) -> None:
        self._api = urlsplit(api_url)

    async def send(self, respond: AsyncRespond, said: Mrkdwn) -> None:
        """Answer. The incident's channel shows what changed, too, so a lost answer costs little."""
        if not self.is_slack_url(respond.response_url):
            return
        with reaching_slack("an answer"):
            await respond(text=said, response_type="ephemeral", replace_original=False)

    async def replace(self, respond: AsyncRespond, message: object, said: Mrkdwn) -> None:
        """Show in a message how it was answered, in place of its buttons. `message`: as Slack sent it."""
        blocks = message.get("blocks") if isinstance(message, dict) else None
        kept = [block for block in blocks if block.get("type") != "actions"] if _are_blocks(blocks) else []
        if not self.is_slack_url(respond.response_url):
            return
        with reaching_slack("an answer"):
            await respond(text=said, blocks=[*kept, context(said)], replace_original=True)

    def is_slack_url(self, url: object) -> bool:
        """Tell whether the URL is Slack's. Never post to another host that a payload names."""
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
        except ValueError:
            return False
        return (parts.scheme == "https" and parts.hostname in SLACK_HOSTS) or (
            (parts.scheme, parts.netloc) == (self._api.scheme, self._api.netloc)
        )
