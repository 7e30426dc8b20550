"""The page that is sent while Temporal is unreachable: the first page that the incident's workflow will send."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.opening import open_incident, with_known_severity
from incidents.domain.incident.state import Opening
from incidents.domain.obligation import ObligationKind
from incidents.domain.paging.build_request import page
from incidents.domain.paging.ladder import page_owed


class NoPageYet(Exception):
    """The incident would wait for the end of a maintenance window. The message says so in words."""


def direct_page(
    opening: Opening, runbook: RunbookConfig, workflow_id: str, at: datetime
) -> activity_requests.SendPage | None:
    """Return the incident's first page, as its workflow will build it; None if the workflow will not page.

    Both come from `page_owed` and `page`, so the pager gets the same dedup key from both and treats the second as the
    same page (behaviour 13). A drill pages nobody before its workflow runs. `at`: now, aware UTC.

    Raises:
        NoPageYet: a planned maintenance window covers the alert (behaviour 15).
    """
    if opening.drill:
        return None
    incident = open_incident(
        with_known_severity(opening, runbook), runbook, at, workflow_id=workflow_id, first_run_id=""
    )
    if (waiting := incident.alerting.waiting) is not None:
        raise NoPageYet(f"nobody is paged within the maintenance window until {waiting.until:%Y-%m-%d %H:%M} UTC")
    owed = next((o for o in page_owed(incident, runbook) if o.kind is ObligationKind.PAGE), None)
    request: ActivityRequest | None = page(owed, incident, runbook, at) if owed is not None else None
    return request if isinstance(request, activity_requests.SendPage) else None
