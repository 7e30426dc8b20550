"""Requests that look at the sources of facts, for the first investigation of an incident."""

from pydantic import AwareDatetime

from incidents.domain import activity_results as results
from incidents.domain.activity_requests import ActivityRequest, Returned
from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe
from incidents.domain.core.repeats import READS
from incidents.domain.investigation.config import BlastRadiusQueries


class Investigate(ActivityRequest[Returned]):
    """Look at one source of facts about the service around the time of the alert."""

    repeat = READS
    service: str
    regions: tuple[Region, ...]
    since: AwareDatetime
    until: AwareDatetime


class QueryMetrics(Investigate[results.MetricsQueried]):
    """Ask each of `queries` and `database` (name to PromQL), and send each of `probes` to each region once.

    `panels`: PromQL by name, each drawn as a chart into `folder` of the evidence. `links`: dashboards by name, which
    are shown with the findings. `blast_radius`: how it is measured.
    """

    queries: dict[str, str] = {}
    database: dict[str, str] = {}
    panels: dict[str, str] = {}
    folder: str = ""
    blast_radius: BlastRadiusQueries = BlastRadiusQueries()
    links: dict[str, str] = {}
    probes: tuple[Probe, ...] = ()


class QueryLogs(Investigate[results.LogsQueried]):
    """Ask for the error logs of the service, by the name that the logs know."""

    log_service: str
