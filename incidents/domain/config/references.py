"""The names in a runbook that refer to another part of it: contacts, severities, regions."""

from collections.abc import Iterator

from incidents.domain.config.model import RunbookConfig

Place = tuple[str | int, ...]
"""Where a name stands in the file: keys and indices from its top."""


def dangling(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield the place of every name that refers to nothing, with what is wrong with it."""
    yield from _severities(config)
    for place, contact in _contacts(config):
        if contact not in config.contacts:
            yield place, f"{contact!r} is not among contacts: {', '.join(config.contacts)}"
    regions = [region.name for region in config.regions]
    for index, service in enumerate(config.services):
        for n, region in enumerate(service.regions):
            if region not in regions:
                yield ("services", index, "regions", n), f"{region!r} is not among regions: {', '.join(regions)}"


def _severities(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    guess = config.intake.unknown_severity
    named: list[tuple[Place, str]] = [
        *((("intake", "severities", label), severity) for label, severity in config.intake.severities.items()),
        *([(("intake", "unknown_severity"), guess)] if guess is not None else []),
    ]
    for index, service in enumerate(config.services):
        named += [(("services", index, "escalation", severity), severity) for severity in service.escalation]
    for place, severity in named:
        if severity not in config.severities:
            yield place, f"{severity!r} is not among severities: {', '.join(config.severities)}"
    if guess == config.severity_names[0]:
        message = f"{guess} is declared by a label or a person: the worst severity is never guessed"
        yield ("intake", "unknown_severity"), message


def _contacts(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield every name of a contact."""
    people, postmortem = config.people, config.postmortem
    yield ("people", "on_call"), people.on_call
    for group in ("stakeholders", "responders", "operators"):
        yield from ((("people", group, n), name) for n, name in enumerate(getattr(people, group)))
    yield ("postmortem", "manager"), postmortem.manager
    yield ("postmortem", "executive"), postmortem.executive
    yield from ((("postmortem", "review", "invite", n), who) for n, who in enumerate(postmortem.review.invite))
    for severity, policy in config.severities.items():
        for n, rung in enumerate(policy.escalation):
            yield ("severities", severity, "escalation", n, "contact"), rung.contact
    for index, service in enumerate(config.services):
        if service.on_call:
            yield ("services", index, "on_call"), service.on_call
        for severity, rungs in service.escalation.items():
            for n, rung in enumerate(rungs):
                yield ("services", index, "escalation", severity, n, "contact"), rung.contact
