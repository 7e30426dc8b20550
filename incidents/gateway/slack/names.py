"""What a person is called of whom Slack tells only the id."""

from slack_sdk.web.async_client import AsyncWebClient

from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.replies import reaching_slack

_LONGEST = 100


async def name_of(client: AsyncWebClient, user_id: str, people: PeopleDirectory) -> str:
    """Return the name in the directory, else the handle in the workspace, as a command has it, else the id."""
    known = people.resolve("", user_id)
    if known != user_id:
        return known[:_LONGEST]
    with reaching_slack("a question for a name"):
        user = (await client.users_info(user=user_id))["user"]
        return people.resolve(str(user.get("name") or ""), user_id)[:_LONGEST]
    return user_id[:_LONGEST]
