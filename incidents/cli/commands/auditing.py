"""`incident timeline --verify`: recompute the timeline's hash chain, and compare it with every head that is kept."""

import json
import re
from typing import Any

import typer
from temporalio.client import Client

from incidents.app.evidence.archive import fetch_from, store_of
from incidents.cli.commands.evidence import Altered, ask_incident, read_manifests, readable
from incidents.cli.help import HelpfulCommand
from incidents.cli.runner import run, say
from incidents.domain.core.timeline import TimelineHead
from incidents.domain.evidence.audit import Anchor, Audit, audit_timeline
from incidents.domain.evidence.manifest import manifest_fault, timeline_of
from incidents.domain.incident.incident import Incident

_HEAD = re.compile(r"(\d{1,9}):([0-9a-f]{12,64})")
"""At least 12 digits of the hash: fewer can be found by trial."""


class VerifyFirst(HelpfulCommand):
    """`timeline verify 42` is `timeline --verify 42`: as `evidence verify 42`, though this is no group."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words, of which the first may be `verify`."""
        words = ["--verify", *args[1:]] if args[:1] == ["verify"] else args
        return super().parse_args(ctx, words)


def parse_head(typed: str) -> TimelineHead:
    """Return the head that a person has read in the channel or in the post-mortem, such as 57:3f2a9c01b4de99aa.

    Raises:
        typer.BadParameter: it is none.
    """
    if (found := _HEAD.fullmatch(typed.strip().lower())) is None:
        raise typer.BadParameter(f"--head: {typed[:80]!r} is no timeline head, such as 57:3f2a9c01b4de99aa")
    return TimelineHead(entries=int(found[1]), sha256=found[2])


def verify_timeline(number: str, head: str, url: str, as_json: bool) -> None:
    """Verify a timeline, and print the result.

    Args:
        number: of the incident, as it was typed.
        head: to compare with as well; "" for none.
        url: the evidence store; "" for the incident's own.
        as_json: print JSON.

    Raises:
        Altered: it is not as it was written. The message names the first entry that does not fit.
        Unreadable: the evidence store cannot be read.
    """
    given = (Anchor(where="--head", head=parse_head(head)),) if head else ()

    async def work(client: Client) -> None:
        incident = await ask_incident(client, number)
        with readable(incident):
            kept, wrong = manifest_anchors(incident, url)
            audit = audit_timeline(
                incident, fetch_from(store_of(incident, url)), (*kept, *given), right_store=bool(kept)
            )
        faults = (*audit.faults, *wrong)
        if as_json:
            say(json.dumps(_document(audit, faults, len(kept)), indent=1))
        if faults:
            raise Altered(f"The timeline of {incident.name} failed verification: {'; '.join(faults)}.")
        if not as_json:
            say(_sentence(audit, len(kept)))

    run(work)


def manifest_anchors(incident: Incident, url: str) -> tuple[list[Anchor], list[str]]:
    """Return the heads that the manifests have, and what is wrong with the manifests."""
    anchors, wrong = list[Anchor](), list[str]()
    for ref, _, data in read_manifests(incident, url):
        if fault := manifest_fault(ref, data):
            wrong.append(fault)
        elif data is not None and (head := timeline_of(data)) is not None:
            anchors.append(Anchor(where=ref.path, head=head))
    return anchors, wrong


def _document(audit: Audit, faults: tuple[str, ...], manifests: int) -> dict[str, object]:
    return {
        "sound": not faults,
        "entries": audit.head.entries,
        "archived": audit.archived,
        "head": str(audit.head),
        "sha256": audit.head.sha256,
        "manifests": manifests,
        "faults": faults,
    }


def _sentence(audit: Audit, manifests: int) -> str:
    archived = f", {audit.archived} of them archived" if audit.archived else ""
    agree = f"; {manifests} {'manifest agrees' if manifests == 1 else 'manifests agree'}" if manifests else ""
    return f"Timeline OK: {audit.head.entries} entries{archived}, head {audit.head}{agree}"
