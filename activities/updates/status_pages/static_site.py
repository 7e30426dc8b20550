"""The public status page without a vendor: a static site at any fsspec URL.

How it is published: each update is a file of its own, so writers cannot overwrite each other's. Only when an incident
becomes private are its files written again, without their words. The pages are made of all of them. Each file is
replaced as a whole and holds all that its page needs. A writer writes the shared pages after those of all incidents
that they link to, whoever published these: a reader never sees half a page, nor a link that leads nowhere.

Several workers may write at once. Each looks at the updates again after it has written, and writes again if there is a
new one. So whoever writes last has seen everything, and the pages end with the newest state. Between two writers the
pages may show an older state for the time of one writing. A writer that dies leaves them so for a minute at most: then
a worker's refresh compares every page.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from activities.updates.status_pages.site_pages import Published, SitePages, recent
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.activity_results import ResourcesChanged
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.incident.state import Resources
from incidents.domain.status_site.published import (
    NO_IMPACT,
    RESOLVED,
    PublicWindow,
    PublishedIncident,
    PublishedUpdate,
    incidents_of,
    is_private,
    public_windows,
    redacted,
)
from incidents.domain.status_site.windows import keep_windows
from incidents.vendors.errors import VendorNotFound
from incidents.vendors.storage import FileStore

_UPDATES, _PAGES = "updates", "incidents"
_WINDOWS, _BEGINNING = "maintenance.json", "site.json"
_WINDOW_LIST: TypeAdapter[tuple[PublicWindow, ...]] = TypeAdapter(tuple[PublicWindow, ...])
_AT_ONCE = 16
"""Files that are read or written at once: an object store takes long for each."""
_log = logging.getLogger("status site")


class _Beginning(Frozen):
    """Since when the site exists."""

    since: AwareDatetime


class StatusSite:
    """Maintains the site. `clock`: the present, aware UTC."""

    def __init__(
        self, store: FileStore, runbook: RunbookConfig, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._runbook, self._clock = store, runbook, clock
        self._pages = SitePages(runbook)
        self._known: dict[str, PublishedUpdate] = {}
        self._shown: dict[str, PublishedIncident] = {}
        self._ends: dict[str, bool] = {}

    def publish(self, update: PublishStatus, *, repeated: bool) -> ResourcesChanged:
        """Publish an update, once: its file shows a repeat. One older than the incident's newest is dropped."""
        incident = hashlib.sha256(update.marker.encode()).hexdigest()[:16]
        earlier = [one for one in self._updates(self._names()) if one.incident == incident]
        newest = max((one.sequence for one in earlier), default=0)
        too_late = is_private(earlier) and not update.withdrawn
        if update.removes or (newest < update.sequence and not too_late):
            self._keep(_published(incident, update, self._clock()), earlier)
        self._shown.pop(incident, None)
        self._write()
        base = self._runbook.status_page.url or self._store.url
        resources = Resources(status_page_id=incident, status_page_url=f"{base}/{_PAGES}/{incident}.html")
        stale = newest > update.sequence and not update.removes
        return ResourcesChanged(
            detail=f"dropped (the page already shows update {newest})" if stale else "", resources=resources
        )

    def refresh(self, started: Iterable[MaintenanceWindow] | None) -> None:
        """Bring every page up to the present. `started`: the windows that responders started; None: not known."""
        if started is not None:
            known, now = self._windows(), self._clock()
            kept = keep_windows(known, public_windows(started, self._runbook), now)
            self._replace(_WINDOWS, _WINDOW_LIST.dump_json(kept, indent=1))
        self._shown = {}
        self._write()

    def _keep(self, update: PublishedUpdate, earlier: Iterable[PublishedUpdate]) -> None:
        """Write an update down. If the incident has become private, its earlier words are removed."""
        if update.withdrawn:
            for one in earlier:
                if not one.withdrawn:
                    bare = redacted(one, update.title)
                    self._store.write(_path(bare), bare.model_dump_json(indent=1).encode())
        self._store.write(_path(update), update.model_dump_json(indent=1).encode())

    def _write(self) -> None:
        """Write the incidents' pages that may be out of date, then the shared ones; again if there is news."""
        seen: tuple[str, ...] | None = None
        written: dict[str, PublishedIncident] = {}
        while seen != (names := self._names()):
            seen, now = names, self._clock()
            incidents = incidents_of(self._updates(names))
            written |= self._write_pages(incidents, written)
            for path, data in self._pages.shared(self._published(incidents, now)).items():
                self._replace(path, data)

    def _published(self, incidents: tuple[PublishedIncident, ...], now: datetime) -> Published:
        """Return what the shared pages show."""
        windows = (*public_windows(self._runbook.maintenance, self._runbook), *self._windows())
        shown = tuple(sorted({window for window in windows if window.until > recent(now)}, key=_in_order))
        public = tuple(incident for incident in incidents if not incident.is_removed)
        return Published(public, shown, self._beginning(incidents, now), now)

    def _write_pages(
        self, incidents: Iterable[PublishedIncident], written: Mapping[str, PublishedIncident]
    ) -> dict[str, PublishedIncident]:
        """Write the pages that this process has not seen up to date, and those that the caller itself set back."""
        stale = {
            incident.id: incident
            for incident in incidents
            if self._shown.get(incident.id) != incident or written.get(incident.id, incident) != incident
        }
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._write_page, stale.values()))
        self._shown |= stale
        return stale

    def _write_page(self, incident: PublishedIncident) -> None:
        self._replace(f"{_PAGES}/{incident.id}.html", self._pages.incident(incident))

    def _replace(self, path: str, data: bytes) -> None:
        """Write a file unless it says so already."""
        if not self._store.exists(path) or self._store.read(path) != data:
            self._store.write(path, data)

    def _names(self) -> tuple[str, ...]:
        """Return the paths of the updates of all incidents that are open or had one lately."""
        names = [name for name in self._store.list(_UPDATES) if name.endswith(".json")]
        oldest = recent(self._clock()).date()
        newest = {_incident(name): name for name in sorted(names, key=_sequence)}
        shown = {_incident(name) for name in names if _day(name) >= oldest}
        old = [name for incident, name in newest.items() if incident not in shown]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            shown |= {_incident(name) for name, ends in zip(old, pool.map(self._is_end, old), strict=True) if not ends}
        return tuple(name for name in names if _incident(name) in shown)

    def _is_end(self, name: str) -> bool:
        """Tell whether an update ends its incident. Each is read once."""
        if name not in self._ends:
            update = self._read(name)
            self._ends[name] = update is not None and update.status == RESOLVED
        return self._ends[name]

    def _updates(self, names: Iterable[str]) -> list[PublishedUpdate]:
        """Return the updates of these paths. Each is read once."""
        before = self._known
        fresh = [name for name in names if name not in before]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            new = dict(zip(fresh, pool.map(self._read, fresh), strict=True))
        known = {name: found for name in names if (found := before.get(name) or new.get(name))}
        self._known = known  # replaced as a whole: several threads publish
        return list(known.values())

    def _read(self, name: str) -> PublishedUpdate | None:
        try:
            return PublishedUpdate.model_validate_json(self._store.read(name))
        except VendorNotFound:  # removed since the files were listed
            return None
        except ValidationError:
            _log.warning("%s is not an update as this program writes them: the status site does not show it", name)
            return None

    def _windows(self) -> tuple[PublicWindow, ...]:
        """Return the windows that responders started, as the site last knew them."""
        if not self._store.exists(_WINDOWS):
            return ()
        try:
            return _WINDOW_LIST.validate_json(self._store.read(_WINDOWS))
        except ValidationError:
            _log.warning(
                "%s cannot be read: started maintenance windows are missing until a worker writes it again", _WINDOWS
            )
            return ()

    def _beginning(self, incidents: Iterable[PublishedIncident], now: datetime) -> datetime:
        """Return since when the site exists: its history has no data of the days before."""
        beginning = self._written_beginning()
        if beginning is None:
            beginning = _Beginning(since=now)
            self._store.write(_BEGINNING, beginning.model_dump_json().encode())
        return min((beginning.since, *(incident.updates[-1].at for incident in incidents)))

    def _written_beginning(self) -> _Beginning | None:
        if not self._store.exists(_BEGINNING):
            return None
        try:
            return _Beginning.model_validate_json(self._store.read(_BEGINNING))
        except ValidationError:
            _log.warning("%s cannot be read: the history begins with the oldest update that is shown", _BEGINNING)
            return None


def _published(incident: str, update: PublishStatus, now: datetime) -> PublishedUpdate:
    """Return what readers get of an update: without a mail's frame, where the request has it without."""
    return PublishedUpdate(
        incident=incident,
        sequence=update.sequence,
        at=update.at or now,
        title=update.headline or update.title,
        status=update.status,
        impact=NO_IMPACT if update.withdrawn else update.impact,
        words=(update.body if update.words is None else update.words).strip(),
        affected=update.affected,
        regions=update.regions,
        withdrawn=update.withdrawn,
    )


def _path(update: PublishedUpdate) -> str:
    name = f"{update.incident}.{update.sequence}"
    name += ".removed" if update.removes else ""
    return f"{_UPDATES}/{update.at.astimezone(UTC):%Y-%m-%d}/{name}.json"


def _incident(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _sequence(name: str) -> int:
    number = name.rpartition("/")[2].split(".")[1]
    return int(number) if number.isdecimal() else 0


def _day(name: str) -> date:
    try:
        return date.fromisoformat(name.split("/")[1])
    except (ValueError, IndexError):
        return date.min


def _in_order(window: PublicWindow) -> tuple[datetime, datetime, tuple[str, ...], tuple[str, ...]]:
    return window.since, window.until, window.components, window.regions
