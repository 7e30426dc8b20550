"""The incident's channel: the key of the obligation that opens it, and its id."""

from incidents.domain.incident.incident import Incident


def channel_key(incident: Incident) -> str:
    """Return the key of the obligation that opens the channel: one that becomes private gets another."""
    return "channel" if incident.channels == 1 else f"channel/{incident.channels}"


def channel_id(incident: Incident) -> str:
    """Return the channel's id. The agenda asks for nothing in the channel before there is one."""
    if incident.resources.channel_id is None:
        raise ValueError("an obligation in the channel was due before there was a channel")
    return incident.resources.channel_id
