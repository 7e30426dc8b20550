"""The keys of the investigation's obligations: each round of the first response looks anew (behaviour 88)."""

from incidents.domain.core.keys import Key
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Source


def investigation_key(incident: Incident, source: Source) -> Key:
    """Return the key of the look at one source in the current round."""
    number = len(incident.earlier_responses)
    return Key("investigate", number, source) if number else Key("investigate", source)
