"""The composition root of drills: the same activities as for real incidents, bound to sinks.

A drill's workflows run on a task queue of their own (`contracts.drill_queue`), and so do all its activities. This
module is the only place that gives them clients, and it builds none but those of the sinks (behaviours 81 and 104).
"""

from temporalio.client import Client

from activities.alerts import Alerts
from activities.drill import (
    DrillChat,
    DrillEmail,
    DrillHeartbeats,
    DrillMaintenance,
    DrillPaging,
    DrillProbes,
    DrillStatusPage,
    DrillWarRoom,
)
from activities.evidence.evidence import Evidence
from activities.investigation.investigation import Investigation
from activities.investigation.panels import Panels
from activities.numbers import Numbers
from activities.paging.on_call import OnCall
from activities.postmortems import Postmortems
from activities.processes import WorkflowQueries
from activities.registry import ActivitySet
from activities.rollback.baselines import Baselines
from activities.rollback.deployments import Deployments
from activities.rollback.health import Health
from activities.rollback.past import PastIncidents
from activities.rollback.preflights import Preflights
from activities.updates.issue_tracker import IssueTracker
from activities.updates.status_pages.static_site import StatusSite
from activities.updates.webhook import Webhook
from incidents.app.composition.clients import build_mailer, build_slack
from incidents.app.composition.pagers import build_acknowledge_links, build_own_pagers
from incidents.app.settings import Settings
from incidents.domain.alerting.config import AlertApi
from incidents.domain.config.model import RunbookConfig
from incidents.domain.customers.directory import NO_CUSTOMERS, CustomerDirectory
from incidents.domain.drill.participants import participant_addresses
from incidents.domain.evidence.manifest import EvidenceSource
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.recipients import AddressBook
from incidents.domain.rollback.config import Deployer
from incidents.vendors.storage import FileStore

_OFF = "off in a drill"
_NO_CHANNEL = "off in a drill without a channel (`drill.channel` in runbook.yaml, and SLACK_BOT_TOKEN)"
_NO_PAGER = "off in a drill (`drill.page_participants` pages those in PAGERDUTY_ROUTING_KEYS or NTFY_TOPICS)"
_NO_MAIL = "off in a drill without e-mail (SENDGRID_API_KEY or SMTP_URL)"


def build_drill_activities(
    settings: Settings, client: Client, runbook: RunbookConfig, customers: CustomerDirectory = NO_CUSTOMERS
) -> ActivitySet:
    """Build the activities of drills. `runbook`: the worker's own; its `drill` section names who takes part.

    `customers`: their addresses, none of which is mailed unless it is a participant's.
    """
    probes, processes = DrillProbes(), WorkflowQueries(client)
    deployments = Deployments({}, dict.fromkeys(Deployer, _OFF), PastIncidents(client))
    store = FileStore(settings.drill_evidence_url, "drill evidence")
    book = AddressBook(PeopleDirectory(runbook.people.directory), customers, runbook.contacts)
    return ActivitySet(
        numbers=Numbers(client, settings.temporal_task_queue),
        paging=_paging(settings, runbook),
        on_call=OnCall(None, _OFF),
        alerts=Alerts({}, dict.fromkeys(AlertApi, _OFF)),
        chat=_chat(settings, runbook, book),
        war_room=DrillWarRoom(_OFF),
        status_page=DrillStatusPage(_status_site(settings, runbook)),
        email=_email(settings, runbook, book),
        webhook=Webhook(None, _OFF),
        issue_tracker=IssueTracker(None, _OFF),
        deployments=deployments,
        health=Health(probes, lambda workflow_id, probed: None),
        heartbeats=DrillHeartbeats(),
        maintenance=DrillMaintenance(),
        investigation=Investigation(probes, None, None, Panels(store), _OFF, _OFF),
        baselines=Baselines(None, None, processes),
        preflights=Preflights(deployments, probes),
        processes=processes,
        evidence=Evidence(store, {}, dict.fromkeys(EvidenceSource, _OFF)),
        postmortems=Postmortems(store, None, None, _OFF),
    )


def _status_site(settings: Settings, runbook: RunbookConfig) -> StatusSite:
    """Build the drills' own site. It has none of the real one's addresses."""
    page = runbook.status_page.replace(url="", subscribe_url="")
    store = FileStore(f"{settings.drill_url}/status", "drill status site")
    return StatusSite(store, runbook.replace(status_page=page))


def _chat(settings: Settings, runbook: RunbookConfig, book: AddressBook) -> DrillChat:
    slack = build_slack(settings) if runbook.drill.channel else None
    interactive = settings.listens_to_slack
    participants = frozenset(participant_addresses(runbook))
    return DrillChat(slack, runbook.drill.channel, participants, _NO_CHANNEL, interactive=interactive, book=book)


def _email(settings: Settings, runbook: RunbookConfig, book: AddressBook) -> DrillEmail:
    participants = frozenset(participant_addresses(runbook))
    sender, reply_to = settings.email_from, settings.email_reply_to
    return DrillEmail(build_mailer(settings), sender, reply_to, participants, _NO_MAIL, book)


def _paging(settings: Settings, runbook: RunbookConfig) -> DrillPaging:
    """Build the pagers of those who are to be paged: participants with a pager of their own."""
    paged = runbook.drill.participants if runbook.drill.page_participants else ()
    own = {name: pager for name, pager in build_own_pagers(settings).items() if name in paged}
    return DrillPaging(own, _NO_PAGER, build_acknowledge_links(settings))
