"""Checks of the integrations: a harmless call to each that is on, and what its server's clock says of ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from incidents.app.composition import clients
from incidents.app.composition.needs import NEEDS, Integration
from incidents.app.composition.pagers import build_ntfy, build_own_ntfy, build_own_pagerduty, build_pagerduty
from incidents.app.doctor.checks import Check
from incidents.app.settings import Settings
from incidents.domain.doctor import access as rules
from incidents.domain.doctor.access import AccessReading, Answer, ClockReading
from incidents.domain.doctor.finding import Finding
from incidents.vendors.access.access import Access
from incidents.vendors.access.openid import OpenIdProvider
from incidents.vendors.errors import VendorError, VendorRejected, VendorUnauthorized
from incidents.vendors.names import DISPLAY_NAMES
from incidents.vendors.storage import FileStore

EVIDENCE = "evidence"
_HALF_SECOND = timedelta(seconds=0.5)
"""Half of what a header's seconds leave out."""


class Checkable(Protocol):
    """A vendor's client, or a store."""

    def check_access(self) -> Access:
        """Make a harmless call.

        Raises:
            VendorError: it failed.
        """


def _openid(settings: Settings) -> OpenIdProvider:
    return OpenIdProvider(settings.oidc_issuer, settings.http_timeout_seconds)


CLIENTS: dict[str, Callable[[Settings], Checkable | None]] = {
    "slack": clients.build_slack,
    "sendgrid": clients.build_sendgrid,
    "smtp": clients.build_smtp,
    "webhook": clients.build_webhook,
    "statuspage": clients.build_statuspage,
    "status site": clients.build_status_site,
    "github": clients.build_github,
    "ticket folder": clients.build_ticket_folder,
    "pagerduty": build_pagerduty,
    "ntfy": build_ntfy,
    "pagerduty schedules": clients.build_schedules,
    "alertmanager": clients.build_alertmanager,
    "grafana": clients.build_grafana,
    "zoom": clients.build_meetings,
    "ops portal": clients.build_ops_portal,
    "prometheus": clients.build_prometheus,
    "signoz": clients.build_signoz,
    "flag audit": clients.build_flag_audit,
    "database diagnostics": clients.build_diagnostics,
    "web sign-in": _openid,
    EVIDENCE: lambda settings: FileStore(settings.evidence_url),
}
"""How each integration of `settings.NEEDS` is built, and the evidence store, which is always on."""
_NAMES = {"web sign-in": "openid", "flag audit": "flag_audit", "database diagnostics": "postgres"}
_MORE_NEEDS = {EVIDENCE: ("EVIDENCE_URL",)}


class IntegrationChecks:
    """The checks of the integrations of these settings. `clocks`: fills while they run. `now`: this machine's clock."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        """Check those that are on."""
        self._settings, self._now = settings, now
        self.clocks: list[ClockReading] = []
        self._pool = ThreadPoolExecutor(len(CLIENTS) + len(_own_pagers(settings)), "doctor")

    def checks(self) -> list[Check]:
        """Return a check of each integration that is on or half set, and of each contact's own pager."""
        listed = {found.name: found for found in self._settings.integrations() if found.name in CLIENTS}
        found = [self._check(name, listed[name]) for name in CLIENTS if listed[name].on or listed[name].half_set]
        own = [
            self._call(f"{vendor} of {contact}", vendor, (variable,), partial(_built, pager))
            for vendor, variable, contact, pager in _own_pagers(self._settings)
        ]
        return [*found, *own]

    def off(self) -> list[str]:
        """Return the integrations that are off because nothing of them is set."""
        return [found.name for found in self._settings.integrations() if not found.on and not found.half_set]

    def _check(self, name: str, listed: Integration) -> Check:
        if listed.half_set:
            finding = rules.half_set(name, listed.reason.removeprefix("error: "))
            return Check(name, lambda: _one(finding))
        variables = NEEDS.get(name) or _MORE_NEEDS[name]
        return self._call(name, _NAMES.get(name, name), variables, lambda: CLIENTS[name](self._settings))

    def _call(
        self, check: str, vendor: str, variables: tuple[str, ...], build: Callable[[], Checkable | None]
    ) -> Check:
        def call() -> tuple[AccessReading, Access]:
            reading = AccessReading(check=check, name=_display(vendor), variables=variables, answer=Answer.ACCEPTED)
            client = build()
            assert client is not None  # it is on
            access = client.check_access()
            return reading.replace(who=access.who, missing=access.missing, untold=access.untold), access

        async def run() -> AsyncIterator[Finding]:
            begun = self._now()
            try:
                reading, access = await asyncio.get_running_loop().run_in_executor(self._pool, call)
            except VendorError as error:
                reading = AccessReading(
                    check=check,
                    name=_display(vendor),
                    variables=variables,
                    answer=_answer(error),
                    problem=error.problem,
                )
            else:
                self._compare(_display(vendor), begun, access.at)
            yield rules.check_access(reading)

        return Check(check, run)

    def _compare(self, name: str, begun: datetime, at: datetime | None) -> None:
        """Remember how far our clock is ahead of the server's, in the middle between call and answer."""
        if at is not None:
            middle = begun + (self._now() - begun) / 2
            self.clocks.append(ClockReading(of=name, ahead=middle - (at + _HALF_SECOND)))


def _own_pagers(settings: Settings) -> list[tuple[str, str, str, Checkable]]:
    """Return the vendor, the variable, the contact and the client of each contact's own pager."""
    keys, topics = build_own_pagerduty(settings).items(), build_own_ntfy(settings).items()
    return [
        *(("pagerduty", "PAGERDUTY_ROUTING_KEYS", contact, pager) for contact, pager in keys),
        *(("ntfy", "NTFY_TOPICS", contact, pager) for contact, pager in topics),
    ]


def _built(client: Checkable) -> Checkable:
    return client


def _display(vendor: str) -> str:
    name = DISPLAY_NAMES.get(vendor.replace(" ", "_")) or DISPLAY_NAMES.get(vendor.partition(" ")[0], vendor)
    return name[:1].upper() + name[1:]


def _answer(error: VendorError) -> Answer:
    if isinstance(error, VendorUnauthorized):
        return Answer.UNAUTHORIZED
    return Answer.REJECTED if isinstance(error, VendorRejected) else Answer.UNAVAILABLE


async def _one(finding: Finding) -> AsyncIterator[Finding]:
    yield finding
