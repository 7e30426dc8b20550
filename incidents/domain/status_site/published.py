"""What the site publishes: updates, the incidents that they belong to, and maintenance windows. Only public words."""

from collections.abc import Iterable
from itertools import groupby

from pydantic import AwareDatetime

from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen

RESOLVED = "resolved"
NO_IMPACT = "none"
"""What is said of a private incident's impact."""


class PublishedUpdate(Frozen):
    """One update of one incident. Once published, it changes only by `redacted`, when its incident becomes private.

    `incident`: the incident's id on the site. `affected`: component to state. `regions`: none for all. `withdrawn`: the
    incident has become private; from then on only such updates are shown, and without words the incident is not.
    """

    incident: str
    sequence: int
    at: AwareDatetime
    title: str
    status: str
    impact: str
    words: str
    affected: dict[str, str] = {}
    regions: tuple[str, ...] = ()
    withdrawn: bool = False

    @property
    def removes(self) -> bool:
        """Tell whether it removes its incident from the site."""
        return self.withdrawn and not self.words


class PublishedIncident(Frozen):
    """An incident as readers know it. `updates`: newest first, at least one."""

    id: str
    updates: tuple[PublishedUpdate, ...]

    @property
    def newest(self) -> PublishedUpdate:
        """The update that counts."""
        return self.updates[0]

    @property
    def is_removed(self) -> bool:
        """Tell whether it is not shown: it has become private, and has not ended since."""
        return self.newest.removes or (self.newest.withdrawn and self.is_open)

    @property
    def is_open(self) -> bool:
        """Tell whether it is not resolved."""
        return self.newest.status != RESOLVED

    @property
    def components(self) -> tuple[str, ...]:
        """Every component that one of its updates names, in order of the first time."""
        return tuple(dict.fromkeys(name for update in reversed(self.updates) for name in update.affected))


def redacted(update: PublishedUpdate, title: str) -> PublishedUpdate:
    """Return what is kept of an update whose incident has become private: that there was one."""
    return update.replace(title=title, words="", impact=NO_IMPACT, affected={}, regions=())


class PublicWindow(Frozen):
    """A maintenance window as readers see it: never its reason, which responders wrote for themselves.

    `components`, `regions`: none for all.
    """

    since: AwareDatetime
    until: AwareDatetime
    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


def incidents_of(updates: Iterable[PublishedUpdate]) -> tuple[PublishedIncident, ...]:
    """Return the incidents that these updates make, the one with the newest update first.

    One that has become private consists of what was published of it since.
    """
    ordered = sorted(updates, key=lambda update: (update.incident, -update.sequence))
    found = [
        PublishedIncident(id=name, updates=_readable(tuple(group)))
        for name, group in groupby(ordered, key=lambda update: update.incident)
    ]
    return tuple(sorted(found, key=lambda incident: (incident.newest.at, incident.id), reverse=True))


def is_private(updates: Iterable[PublishedUpdate]) -> bool:
    """Tell whether the incident of these updates has become private."""
    return any(update.withdrawn for update in updates)


def _readable(updates: tuple[PublishedUpdate, ...]) -> tuple[PublishedUpdate, ...]:
    return tuple(update for update in updates if update.withdrawn) or updates


def public_windows(windows: Iterable[MaintenanceWindow], runbook: RunbookConfig) -> tuple[PublicWindow, ...]:
    """Return those windows that concern customers, the earliest first: of their environment, and of a known service."""
    environment = runbook.intake.defaults.get("environment", "")
    services = {service.name: service.public_name for service in runbook.services}
    regions = {region.name: region.public_name or region.name for region in runbook.regions}
    found = [
        PublicWindow(
            since=window.since,
            until=window.until,
            components=(services[window.service],) if window.service else (),
            regions=(regions[window.region],) if window.region else (),
        )
        for window in windows
        if window.environment in ("", environment)
        and window.service in ("", *services)
        and window.region in ("", *regions)
    ]
    return tuple(sorted(set(found), key=lambda window: (window.since, window.until, window.components, window.regions)))
