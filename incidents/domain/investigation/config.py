"""What runbook.yaml says of the investigation: what is asked of the monitoring, and shown to responders at once."""

from datetime import timedelta

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration


class BlastRadiusQueries(Frozen):
    """PromQL by which the blast radius is suggested, besides the regions that fail their probes; empty: not asked.

    `requests`: the share of requests that fail, from 0 to 1. `customers`: how many customers were seen failing.
    `confirm_every`: how often responders are asked to confirm a suggestion until they assess the incident.
    """

    requests: str = ""
    customers: str = ""
    confirm_every: Duration = timedelta(minutes=10)


class Investigation(Frozen):
    """Queries of the investigation: PromQL by name, and the service's name in the logs.

    `log_service`, unset: the name that the incident's alert gives. `dashboards`: name to address, shown with the
    findings; `{SERVICE}`, `{FROM_MS}` and `{UNTIL_MS}` (epoch milliseconds) are filled in. `panels`: PromQL by name,
    each drawn as a small chart that is stored with the evidence. `database`: PromQL by name, of the database.
    """

    dashboards: dict[str, str] = {}
    metrics: dict[str, str] = {}
    panels: dict[str, str] = {}
    database: dict[str, str] = {}
    log_service: str = ""
    blast_radius: BlastRadiusQueries = BlastRadiusQueries()

    @property
    def preserved(self) -> dict[str, str]:
        """The queries whose data is kept as evidence, by name."""
        return {**self.metrics, **self.panels, **self.database}
