"""The incident's channel: archived here if the incident closed before its post-mortem was over (behaviour 96)."""

from collections.abc import Iterator

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.postmortem.obligations.obligation import (
    OVER,
    Due,
    Owed,
    PostmortemObligation,
    PostmortemObligationKind,
    PostmortemSpec,
    owe,
)
from incidents.domain.postmortem.postmortem import Postmortem


def archive_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield the archiving of the channel once its reminders have ended and the incident has closed."""
    if postmortem.archives_channel and postmortem.incident.resources.channel_id:
        at = postmortem.timeline[-1].at
        yield owe(PostmortemObligationKind.ARCHIVE, Key("archive"), at, "Archive the incident's channel")


def _archive(postmortem: Postmortem, due: Due) -> ActivityRequest:
    room = postmortem.incident.resources.channel_id or ""
    return chat_requests.ArchiveChannel(key=due.obligation.key, channel_id=room)


ARCHIVE = PostmortemSpec(
    PostmortemObligationKind.ARCHIVE, Owed(archive_owed, OVER), build_request=_archive, silent=True
)
