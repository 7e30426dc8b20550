"""What a valid runbook probably does not mean. Each is a place in the file, and what follows from what it says."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from incidents.domain.config.communication import Channel, Rung
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.references import Place
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.time.elapsed import in_words

SHIPPED_COMPANY = "FeatureSignals"
"""The company of the runbook that this program ships with."""


class Surroundings(Frozen):
    """What the environment has. `channels_off`: why nothing goes out on a channel; `own_pagers`: contacts with one."""

    channels_off: Mapping[Channel, str] = {}
    own_pagers: frozenset[str] = frozenset()


def warnings(runbook: RunbookConfig, around: Surroundings) -> Iterator[tuple[Place, str]]:
    """Yield every warning."""
    for severity in runbook.severity_names:
        yield from _rungs(severity, runbook)
        yield from _cadence(severity, runbook)
        yield from _channels(severity, runbook, around)
    yield from _contacts(runbook, around.own_pagers)
    yield from _other_companys_words(runbook)


def _rungs(severity: Severity, runbook: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """A problem that comes back after the reopen window is a new incident, with a ladder of its own."""
    policy = runbook.policy(severity)
    ladders: list[tuple[Place, tuple[Rung, ...]]] = [(("severities", severity, "escalation"), policy.escalation)]
    ladders += [
        (("services", index, "escalation", severity), service.escalation[severity])
        for index, service in enumerate(runbook.services)
        if severity in service.escalation
    ]
    for place, rungs in ladders:
        for index, rung in enumerate(rungs):
            if rung.after is not None and rung.after > policy.reopen_window:
                after, window = in_words(rung.after), in_words(policy.reopen_window)
                yield (
                    (*place, index, "after"),
                    f"{rung.contact} is called after {after}, but reopen_window is {window}: a problem that comes back"
                    " later opens a new incident, whose ladder starts anew",
                )


def _cadence(severity: Severity, runbook: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Customers read "no change" before anyone has to look; and a worse severity is told of more often."""
    policy = runbook.policy(severity)
    every, within = policy.updates.every, policy.acknowledge_within.elapsed
    place: Place = ("severities", severity, "updates", "every")
    if every is not None and within is not None and every < within:
        yield place, f"an update every {in_words(every)}, but the acknowledgement may take {in_words(within)}"
    for milder in runbook.severity_names[runbook.rank(severity) :]:
        slower = runbook.policy(milder).updates.every
        if every is not None and slower is not None and every > slower:
            yield place, f"every {in_words(every)}, but the milder {milder} has one every {in_words(slower)}"
            return


def _channels(severity: Severity, runbook: RunbookConfig, around: Surroundings) -> Iterator[tuple[Place, str]]:
    for index, channel in enumerate(runbook.policy(severity).updates.channels):
        if channel in around.channels_off:
            place: Place = ("severities", severity, "updates", "channels", index)
            yield place, f"nothing goes out on {channel}: {around.channels_off[channel]}"


def _contacts(runbook: RunbookConfig, own_pagers: Collection[str]) -> Iterator[tuple[Place, str]]:
    for name, contact in runbook.contacts.items():
        if not contact.email and not contact.schedule and name not in own_pagers:
            yield (
                ("contacts", name),
                f"{contact.name} cannot be reached: no email, no schedule and no pager of their own",
            )


def _other_companys_words(runbook: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield texts and addresses of the company whose runbook this one was made from."""
    word = SHIPPED_COMPANY.casefold()
    if word in runbook.product.casefold():
        return
    written = runbook.model_dump(mode="python")
    written["contacts"] = {name: contact.model_dump() for name, contact in runbook.contacts.items()}
    for place, text in _texts(written, ()):
        if word in text.casefold():
            yield place, f"names {SHIPPED_COMPANY}, but the product is {runbook.product}"


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from _texts(below, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from _texts(below, (*place, index))
