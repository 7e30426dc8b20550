"""What one part of a runbook says of another: names of contacts, severities, services and regions, and the probes."""

from collections.abc import Iterable, Iterator
from typing import Literal

from incidents.domain.alerting.config import Route
from incidents.domain.config.model import RunbookConfig, Service
from incidents.domain.people.permissions import COMMANDS
from incidents.domain.rollback.config import RollbackPolicy

Place = tuple[str | int, ...]
"""Where a name stands in the file: keys and indices from its top."""


def dangling(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield the place of every name that refers to nothing, with what is wrong with it, and faults of the probes."""
    yield from _severities(config)
    yield from _probes(config)
    for place, contact in _contacts(config):
        if contact not in config.contacts:
            yield place, f"{contact!r} is not among contacts: {', '.join(config.contacts)}"
    regions = [region.name for region in config.regions]
    for index, service in enumerate(config.services):
        for n, region in enumerate(service.regions):
            if region not in regions:
                yield ("services", index, "regions", n), f"{region!r} is not among regions: {', '.join(regions)}"
    yield from _routes(config)
    yield from _permissions(config)
    yield from _two_people(config)
    yield from _labels(config)
    for name, rule in config.heartbeats.items():
        yield from _unlisted(("heartbeats", name), "service", rule.service, config)
    for index, window in enumerate(config.maintenance):
        yield from scope_faults(window.service, window.region, config, ("maintenance", index))


def scope_faults(service: str, region: str, config: RunbookConfig, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield what a maintenance window names that the runbook does not list: no alert would ever be within it."""
    yield from _unlisted(place, "service", service, config)
    yield from _unlisted(place, "region", region, config)


def _unlisted(
    place: Place, field: Literal["service", "region"], name: str, config: RunbookConfig
) -> Iterator[tuple[Place, str]]:
    """Yield the fault of a name that is not listed. A runbook that lists none at all takes any."""
    listed = [each.name for each in (config.services if field == "service" else config.regions)]
    if name and listed and name not in listed:
        yield (*place, field), f"{name!r} is not among {field}s: {', '.join(listed)}"


def _routes(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield what makes a route useless: a service that is not listed, or the name of an earlier one."""
    names = [route.name for route in config.intake.routes]
    for index, route in enumerate(config.intake.routes):
        yield from _unlisted(("intake", "routes", index), "service", route.service, config)
        if route.name in names[:index]:
            yield ("intake", "routes", index, "name"), f"{route.name!r} is the name of an earlier route"


def _permissions(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield each person, group or command of the permissions that is not known, and rules that nobody could meet."""
    people, groups = config.people.directory, config.people.groups
    for group, members in groups.items():
        if group in people:
            yield ("people", "groups", group), f"{group!r} is also a person of the directory"
        if not members:
            yield ("people", "groups", group), "this group has no members"
        for n, member in enumerate(members):
            if member not in people:
                yield ("people", "groups", group, n), f"{member!r} is not in people.directory: {_listed(people)}"
    for command, allowed in config.people.permissions.items():
        place: Place = ("people", "permissions", command)
        if command not in COMMANDS:
            yield place, f"{command!r} is not a command: {_listed(COMMANDS)}"
        if command == "approve" and _is_one_person(config):
            yield place, "a severity has `rollback: two_people`, and only one person could approve"
        if not allowed:
            yield place, "nobody could send this command; leave it out, or name groups or people"
        for n, name in enumerate(allowed):
            if name not in groups and name not in people:
                known = f"{_listed(groups)}; people: {_listed(people)}"
                yield (*place, n), f"{name!r} is neither a group nor a person; groups: {known}"


def _is_one_person(config: RunbookConfig) -> bool:
    """Tell whether two people have to approve a rollback, and all who may are one person."""
    people = config.people
    may = {person for name in people.permissions["approve"] for person in people.groups.get(name, (name,))}
    may |= {person for name in people.permissions.get("rollback", ()) for person in people.groups.get(name, (name,))}
    two = any(policy.rollback is RollbackPolicy.TWO_PEOPLE for policy in config.severities.values())
    return two and "rollback" in people.permissions and len(may) == 1


def _two_people(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield each severity whose rollback two people approve, if nothing tells whether two names are two people."""
    for severity, policy in config.severities.items():
        if policy.rollback is RollbackPolicy.TWO_PEOPLE and not config.people.directory:
            message = "`two_people` needs people.directory, or one person with two names could approve twice"
            yield ("severities", severity, "rollback"), message


def _labels(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield each label by which the issue of an earlier attempt could not be found, so that a retry opened another."""
    postmortem = config.postmortem
    places: list[tuple[Place, tuple[str, ...]]] = [
        (("tracker", "labels"), config.tracker.labels),
        (("postmortem", "labels"), postmortem.labels),
        (("postmortem", "items", "labels"), postmortem.items.labels),
    ]
    for place, labels in places:
        if not labels:
            yield place, "name at least one label: by it, a retry finds the issue that it has opened"
        for n, label in enumerate(labels):
            if not label.strip() or "," in label:
                yield (*place, n), "a label must not be empty, nor have a comma in it"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _severities(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    guess = config.intake.unknown_severity
    named: list[tuple[Place, str]] = [
        *((("intake", "severities", label), severity) for label, severity in config.intake.severities.items()),
        *([(("intake", "unknown_severity"), guess)] if guess is not None else []),
    ]
    named += [(("heartbeats", name, "severity"), rule.severity) for name, rule in config.heartbeats.items()]
    for index, service in enumerate(config.services):
        named += [(("services", index, "escalation", severity), severity) for severity in service.escalation]
    for index, route in enumerate(config.intake.routes):
        place: Place = ("intake", "routes", index)
        named += [((*place, "severity"), route.severity)] if route.severity is not None else []
        named += [((*place, "escalation", severity), severity) for severity in route.escalation]
    for place, severity in named:
        if severity not in config.severities:
            yield place, f"{severity!r} is not among severities: {', '.join(config.severities)}"
    if guess == config.severity_names[0]:
        message = f"{guess} is declared by a label or a person: the worst severity is never guessed"
        yield ("intake", "unknown_severity"), message


def _probes(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield what makes the probes useless together: two of one name, or not exactly one that measures latency."""
    names = [probe.name for probe in config.probes]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("probes", index, "name"), f"{name!r} is the name of an earlier probe"
    measuring = [index for index, probe in enumerate(config.probes) if probe.measures_latency]
    if not measuring and (config.regions or config.probes):
        yield ("probes",), "one probe needs `measures_latency: true`, or no rollback could be verified"
    for index in measuring[1:]:
        first = names[measuring[0]]
        yield ("probes", index, "measures_latency"), f"{first!r} measures the latency already, and only one can"


def _contacts(config: RunbookConfig) -> Iterator[tuple[Place, str]]:
    """Yield every name of a contact."""
    people, postmortem = config.people, config.postmortem
    yield ("people", "on_call"), people.on_call
    if triage := config.intake.unknown_service.contact:
        yield ("intake", "unknown_service", "contact"), triage
    for group in ("stakeholders", "responders", "operators"):
        yield from ((("people", group, n), name) for n, name in enumerate(getattr(people, group)))
    yield from ((("drill", "participants", n), name) for n, name in enumerate(config.drill.participants))
    yield ("postmortem", "manager"), postmortem.manager
    yield ("postmortem", "executive"), postmortem.executive
    yield from ((("postmortem", "review", "invite", n), who) for n, who in enumerate(postmortem.review.invite))
    for severity, policy in config.severities.items():
        for n, rung in enumerate(policy.escalation):
            yield ("severities", severity, "escalation", n, "contact"), rung.contact
    owners: list[tuple[Place, Service | Route]] = [
        *((("services", index), service) for index, service in enumerate(config.services)),
        *((("intake", "routes", index), route) for index, route in enumerate(config.intake.routes)),
    ]
    for place, owner in owners:
        if owner.on_call:
            yield (*place, "on_call"), owner.on_call
        for severity, rungs in owner.escalation.items():
            yield from (((*place, "escalation", severity, n, "contact"), rung.contact) for n, rung in enumerate(rungs))
