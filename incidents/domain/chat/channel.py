"""The incident's channel: the key of the obligation that opens it, and its id; the static war room."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.incident.incident import Incident


def channel_key(incident: Incident) -> Key:
    """Return the key of the obligation that opens the channel: one that becomes private gets another."""
    return key_in_channel(incident, Key("channel"))


def key_in_channel(incident: Incident, key: Key) -> Key:
    """Return the key of an obligation that is owed once in each of the incident's channels."""
    return key if incident.chat.channel_count == 1 else key.under(incident.chat.channel_count)


def war_room_key() -> Key:
    """Return the key of the obligation that opens the war room."""
    return Key("war-room")


def notice_key(sequence: int) -> Key:
    """Return the key of the obligation to post an entry of the timeline in the channel."""
    return Key("notice", sequence)


def channel_id(incident: Incident) -> str:
    """Return the channel's id. The agenda asks for nothing in the channel before there is one."""
    if incident.resources.channel_id is None:
        raise ValueError("an obligation in the channel was due before there was a channel")
    return incident.resources.channel_id


def static_war_room(incident: Incident, runbook: RunbookConfig) -> str:
    """Return the video call that is always open, or "". A drill has none: it must not disturb a real incident."""
    return "" if incident.drill else runbook.war_room.static_url
