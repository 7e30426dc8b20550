"""The composition root: build the activities from the settings."""

import asyncio
from collections.abc import Callable

from temporalio.client import Client

from activities import ports
from activities.alerts import Alerts
from activities.chat.chat import Chat
from activities.chat.war_room import WarRoom
from activities.evidence import sources as evidence_sources
from activities.evidence.evidence import Evidence, Source
from activities.heartbeats import Heartbeats
from activities.investigation.investigation import Investigation
from activities.investigation.panels import Panels
from activities.maintenance import Maintenance
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
from activities.rollback.probes import RegionProbes
from activities.updates.email import Email
from activities.updates.issue_tracker import IssueTracker
from activities.updates.status_page import StatusPage
from activities.updates.webhook import Webhook
from incidents.app.composition.clients import (
    build_alert_source,
    build_deployer,
    build_diagnostics,
    build_flag_audit,
    build_github,
    build_mailer,
    build_meetings,
    build_prometheus,
    build_schedules,
    build_signoz,
    build_slack,
    build_status_page,
    build_tracker,
    build_webhook,
)
from incidents.app.composition.integrations import why_off
from incidents.app.composition.pagers import build_paging
from incidents.app.runbook_file import probe_variable_reader
from incidents.app.settings import Settings
from incidents.domain.alerting.config import AlertApi
from incidents.domain.config.model import RunbookConfig
from incidents.domain.customers.directory import NO_CUSTOMERS, CustomerDirectory
from incidents.domain.evidence.manifest import EvidenceSource
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.recipients import AddressBook
from incidents.domain.rollback.config import Deployer
from incidents.domain.rollback.order import Probed
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient
from incidents.vendors.product.probe import ProbeClient
from incidents.vendors.slack.client import SlackClient
from incidents.vendors.storage import FileStore


def build_activities(
    settings: Settings,
    client: Client,
    runbook: RunbookConfig,
    people: PeopleDirectory = NOBODY,
    customers: CustomerDirectory = NO_CUSTOMERS,
) -> ActivitySet:
    """Build all activities: with the vendor's client if its credentials are set, off otherwise.

    `runbook`: the worker's own. Its probes name the variables that any incident's probes may use. `people` and
    `customers`: where activities find the addresses of those whom a request names.
    """
    probe = RegionProbes(ProbeClient(settings.probe_timeout_seconds), probe_variable_reader(runbook))
    off = why_off(settings)
    prometheus, signoz, slack = build_prometheus(settings), build_signoz(settings), build_slack(settings)
    processes, book = WorkflowQueries(client), AddressBook(people, customers, runbook.contacts)
    deployments = _deployments(settings, client, off)
    return ActivitySet(
        numbers=Numbers(client, settings.temporal_task_queue),
        paging=build_paging(settings),
        on_call=OnCall(build_schedules(settings), off.get("pagerduty schedules", ""), people),
        alerts=_alerts(settings, off),
        chat=Chat(slack, off.get("slack", ""), interactive=settings.listens_to_slack, people=people, book=book),
        war_room=WarRoom(build_meetings(settings), off.get("zoom", "")),
        status_page=StatusPage(build_status_page(settings, runbook), off.get("statuspage", "")),
        email=_email(settings, off, book),
        webhook=Webhook(build_webhook(settings), off.get("webhook", "")),
        issue_tracker=IssueTracker(build_tracker(settings), off.get("github", ""), people),
        deployments=deployments,
        health=Health(probe, _progress_sender(processes)),
        heartbeats=Heartbeats(client, settings.temporal_task_queue, runbook),
        maintenance=Maintenance(client),
        investigation=_investigation(settings, probe, prometheus, signoz, off),
        baselines=Baselines(prometheus, signoz, processes),
        preflights=Preflights(deployments, probe),
        processes=processes,
        evidence=_evidence(settings, deployments, prometheus, signoz, slack, off),
        postmortems=_postmortems(settings, off),
    )


def _alerts(settings: Settings, off: dict[str, str]) -> Alerts:
    found = {api: build_alert_source(api, settings) for api in AlertApi}
    clients = {api: client for api, (client, _) in found.items() if client is not None}
    return Alerts(clients, {api: off.get(integration, "") for api, (_, integration) in found.items()})


def _investigation(
    settings: Settings,
    probe: ports.HealthProbe,
    prometheus: PrometheusClient | None,
    signoz: SigNozClient | None,
    off: dict[str, str],
) -> Investigation:
    """Build the investigation, whose panels go to the evidence store."""
    panels = Panels(FileStore(settings.evidence_url))
    return Investigation(probe, prometheus, signoz, panels, off.get("prometheus", ""), off.get("signoz", ""))


def _email(settings: Settings, off: dict[str, str], book: AddressBook) -> Email:
    """Build the e-mail activity, with SendGrid or else SMTP."""
    sender, reply_to = settings.email_from, settings.email_reply_to
    return Email(build_mailer(settings), sender, reply_to, off.get("sendgrid", ""), book)


def _postmortems(settings: Settings, off: dict[str, str]) -> Postmortems:
    """Build the post-mortem activities, with the repository if GitHub is on."""
    github = build_github(settings)
    store = FileStore(settings.evidence_url)
    return Postmortems(store, github.files if github else None, build_tracker(settings), off.get("github", ""))


def _deployments(settings: Settings, client: Client, off: dict[str, str]) -> Deployments:
    """Build the deployment activities, with every deployer whose credentials are set."""
    built = {deployer: build_deployer(deployer, settings) for deployer in Deployer}
    deployers = {deployer: adapter for deployer, (adapter, _) in built.items() if adapter is not None}
    why = {deployer: off.get(integration, "") for deployer, (_, integration) in built.items()}
    return Deployments(deployers, why, PastIncidents(client))


_SOURCE_INTEGRATIONS = {
    EvidenceSource.METRICS: "prometheus",
    EvidenceSource.LOGS: "signoz",
    EvidenceSource.TRACES: "signoz",
    EvidenceSource.CHAT: "slack",
    EvidenceSource.FLAG_AUDIT: "flag audit",
    EvidenceSource.DATABASE: "database diagnostics",
}
"""The integration that each source of evidence needs."""


def _evidence(
    settings: Settings,
    deployments: Deployments,
    prometheus: PrometheusClient | None,
    signoz: SigNozClient | None,
    slack: SlackClient | None,
    off: dict[str, str],
) -> Evidence:
    """Build the evidence activities, with every source whose credentials are set."""
    found: dict[EvidenceSource, Source] = {EvidenceSource.DEPLOYMENTS: evidence_sources.deployments(deployments)}
    if prometheus is not None:
        found[EvidenceSource.METRICS] = evidence_sources.metrics(prometheus)
    if signoz is not None:
        found[EvidenceSource.LOGS] = evidence_sources.signoz(signoz, "logs")
        found[EvidenceSource.TRACES] = evidence_sources.signoz(signoz, "traces")
    if slack is not None:
        found[EvidenceSource.CHAT] = evidence_sources.slack(slack)
    if (audit := build_flag_audit(settings)) is not None:
        found[EvidenceSource.FLAG_AUDIT] = evidence_sources.flag_audit(audit)
    if (replica := build_diagnostics(settings)) is not None:
        found[EvidenceSource.DATABASE] = evidence_sources.database(replica)
    why = {source: off.get(name, "") for source, name in _SOURCE_INTEGRATIONS.items()}
    return Evidence(FileStore(settings.evidence_url), found, why)


def _progress_sender(processes: WorkflowQueries) -> Callable[[str, Probed], None]:
    """Return the function by which a verification, which runs in a thread, signals progress to its workflow."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no worker: there is no workflow to signal
        return lambda workflow_id, probed: None

    def send(workflow_id: str, probed: Probed) -> None:
        asyncio.run_coroutine_threadsafe(processes.send_progress(workflow_id, probed), loop)

    return send
