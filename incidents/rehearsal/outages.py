"""What fails in the sandbox: vendors and the product, from a virtual time on until another."""

from datetime import timedelta

from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.rehearsal.outside import Deployed, FaultKind, Outage, Part
from incidents.rehearsal.fitting import products
from sandbox.server import RunningSandbox
from sandbox.vendors.product import REGIONS

_VENDORS = {
    Part.PAGER: ("pagerduty",),
    Part.CHAT: ("slack",),
    Part.MAIL: ("sendgrid",),
    Part.STATUS_PAGE: ("statuspage",),
    Part.TRACKER: ("github",),
    Part.MEETINGS: ("zoom",),
    Part.DEPLOYER: ("ops_portal",),
    Part.ALERTS: ("alertmanager", "grafana"),
    Part.METRICS: ("prometheus",),
    Part.LOGS: ("signoz",),
    Part.PRODUCT: ("product",),
}
_KINDS = {FaultKind.ERROR: "status", FaultKind.NO_CONNECTION: "reset", FaultKind.LOST_REPLY: "lost_reply"}


class Outages:
    """Those in force."""

    def __init__(self, sandbox: RunningSandbox, runbook: RunbookConfig) -> None:
        self._sandbox = sandbox
        self._products = products(runbook)
        self._active: list[tuple[timedelta | None, Outage]] = []

    def begin(self, outage: Outage, at: timedelta) -> None:
        """Let something fail from now on."""
        self._active.append((None if outage.lasts is None else at + outage.lasts, outage))
        self._order(outage)

    def end(self, at: timedelta) -> None:
        """Let those end whose time is over."""
        left = [(until, outage) for until, outage in self._active if until is None or until > at]
        if len(left) == len(self._active):
            return
        self._active = left
        self._sandbox.clear_faults()
        for _, outage in left:
            self._order(outage)

    def deploy(self, deployed: Deployed) -> None:
        """Let somebody deploy a version: to the product that stands for the region, or to both."""
        breaks = [deployed.version] if deployed.broken else []
        for product in (self._product(deployed.region),) if deployed.region else REGIONS:
            self._sandbox.deploy(product, deployed.version, breaks=breaks)

    def _product(self, region: str) -> str:
        """Return the product of a region. A runbook without regions has none that could be looked up."""
        return self._products.get(region, REGIONS[0])

    def _order(self, outage: Outage) -> None:
        match = f"/product/{self._product(outage.region)}/" if outage.of is Part.PRODUCT and outage.region else ""
        status = outage.status if outage.how is FaultKind.ERROR else None
        for vendor in _VENDORS[outage.of]:
            self._sandbox.fault(vendor, _KINDS[outage.how], match, status=status, times=None)
