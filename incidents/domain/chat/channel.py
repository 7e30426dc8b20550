"""The incident's channel: the key of the obligation that opens it, and its id; the static war room."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident


def channel_key(incident: Incident) -> str:
    """Return the key of the obligation that opens the channel: one that becomes private gets another."""
    return key_in_channel(incident, "channel")


def key_in_channel(incident: Incident, name: str) -> str:
    """Return the key of an obligation that is owed once in each of the incident's channels."""
    return name if incident.chat.channel_count == 1 else f"{name}/{incident.chat.channel_count}"


def notice_key(sequence: int) -> str:
    """Return the key of the obligation to post an entry of the timeline in the channel."""
    return f"notice/{sequence}"


def channel_id(incident: Incident) -> str:
    """Return the channel's id. The agenda asks for nothing in the channel before there is one."""
    if incident.resources.channel_id is None:
        raise ValueError("an obligation in the channel was due before there was a channel")
    return incident.resources.channel_id


def static_war_room(incident: Incident, runbook: RunbookConfig) -> str:
    """Return the video call that is always open, or "". A drill has none: it must not disturb a real incident."""
    return "" if incident.drill else runbook.war_room.static_url
