"""The pages that show something: incidents, an incident, post-mortems, the report."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from temporalio.client import Client

from incidents.app.evidence.archive import all_public_entries, complete
from incidents.app.settings import Settings
from incidents.client.lookup import is_open, list_postmortems
from incidents.client.problems import NoAnswer, NotFound
from incidents.client.watching.rollback_probes import ProbeReader, ProbeSeries
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.display.timeline_filter import Part, public_entries
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import DEFINITIONS
from incidents.domain.incident.visibility import may_see
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.people.permissions import Permissions
from incidents.domain.postmortem.figures.charts import panel
from incidents.domain.postmortem.figures.impact import Series
from incidents.domain.reporting import pages
from incidents.domain.rollback.order import rollback_workflow_id
from incidents.gateway.web.access import NotAllowed, Person
from incidents.gateway.web.actions import buttons
from incidents.gateway.web.incident_view import IncidentView, incident_view, reaches_archive, timeline_part
from incidents.gateway.web.overview import due_lines, incident_line, postmortem_line, split
from incidents.gateway.web.reads import IncidentReaders, ListReader, Reading
from incidents.gateway.web.rendering import HEADERS, Renderer
from incidents.gateway.web.report_page import ReportQuery, ReportReader
from incidents.gateway.web.streams import Pulse, Streams
from incidents.names import INCIDENT_WORKFLOW, POSTMORTEM_WORKFLOW

_RECENT = 10
"""Incidents that are over, on the front page."""
_SHOWN = 100
"""Lines of a list: a page stays small in a storm, too."""
_LINES = 60
"""Incidents of a report that its page lists; its figures count them all."""
_PROBES = 10
"""Probes of a region in the table below its chart."""
_CHART_HEADERS = HEADERS | {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
_CHARTS = {"causes": pages.causes_chart, "downtime": pages.downtime_chart}


@dataclass(frozen=True)
class Shared:
    """What all pages need. `connected` raises `RPCError` while Temporal is unreachable."""

    connected: Callable[[], Awaitable[Client]]
    settings: Settings
    runbook: RunbookConfig
    people: PeopleDirectory
    renderer: Renderer
    readers: IncidentReaders

    async def read(self, request: Request) -> Reading:
        """Return the incident that the address names, as it stands.

        Raises:
            NotFound: there is none.
            RPCError: Temporal did not answer.
        """
        reader = await self.readers.reader(await self.connected(), request.path_params["name"])
        return await reader.read()

    async def expire(self, request: Request) -> None:
        """Let the next read of that incident look at Temporal: a command was sent."""
        (await self.readers.reader(await self.connected(), request.path_params["name"])).expire()

    @property
    def permissions(self) -> Permissions:
        """Who may send which command."""
        return self.runbook.people.authorized

    def visible(self, incident: Incident, person: Person) -> bool:
        """Tell whether this reader may see the incident. On this machine everyone may, as with the CLI."""
        return person.local or may_see(incident, person.name, self.runbook, self.people)


class Pages:
    """The handlers of the pages that change nothing."""

    def __init__(self, shared: Shared) -> None:
        self._shared, self._renderer = shared, shared.renderer
        self._report = ReportReader(shared.runbook, shared.settings.evidence_url)
        self._lists, self._streams = ListReader(_RECENT), Streams()
        self._probes: ProbeReader | None = None

    def stop(self) -> None:
        """End the streams of events."""
        self._streams.stop()

    async def overview(self, request: Request, person: Person) -> Response:
        """Show open incidents, what is due next, and the latest that are over. Needs no worker."""
        lists, now = await self._lists.read(await self._shared.connected()), datetime.now(UTC)
        live, over = split(lists.running, now)
        line = partial(incident_line, runbook=self._shared.runbook, now=now)
        return self._renderer.page(
            request,
            person,
            "overview.html.j2",
            live=[line(execution) for execution in live[:_SHOWN]],
            count=len(live),
            due=due_lines(live, lists.postmortems, self._shared.runbook, now),
            live_at=("/events", lists.version),
            recent=[line(execution) for execution in (*over, *lists.closed)[:_RECENT]],
            inspector=self._renderer.temporal_ui(
                query=f"WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus = 'Running'"
            ),
        )

    async def incident(self, request: Request, person: Person) -> Response:
        """Show an incident. `show` filters its timeline; `before` is the entry before which it is continued."""
        shared, now = self._shared, datetime.now(UTC)
        reading = await shared.read(request)
        incident = reading.incident
        if incident is None:
            line = incident_line(reading.run, shared.runbook, now)
            return self._renderer.page(request, person, "partial.html.j2", 503, line=line, warning=reading.warning)
        if not shared.visible(incident, person):
            return self._renderer.private(request, person, incident.name)
        which, before = _timeline_query(request)
        view = incident_view(incident, reading.obligations, reading.retries, shared.runbook, now)
        return self._renderer.page(
            request,
            person,
            "incident.html.j2",
            view=view,
            live_at=(f"{view.href}/events", reading.version),
            buttons=buttons(incident, view.href, person.name, shared.permissions),
            warning=reading.warning,
            timeline=timeline_part(await _entries(incident, which, before), which, before),
            filters=tuple(Part),
            probes=await self._all_probes(incident, view),
            inspector=self._renderer.temporal_ui(reading.run.id, reading.run.run_id or ""),
        )

    async def overview_events(self, request: Request, person: Person) -> Response:
        """Tell the front page that it has changed."""

        async def look() -> Pulse:
            lists = await self._lists.read(await self._shared.connected(), self._lists.pause)
            return Pulse(lists.version, self._lists.pause)

        return self._streams.answer(request, look)

    async def incident_events(self, request: Request, person: Person) -> Response:
        """Tell the page of an incident that it has changed. All viewers share its reads."""
        reader = await self._shared.readers.reader(await self._shared.connected(), request.path_params["name"])
        first = await reader.read()
        if first.incident is None:
            raise NoAnswer(first.warning)
        if not self._shared.visible(first.incident, person):
            raise NotAllowed("Not shown.")

        async def look() -> Pulse:
            reading = await reader.read(reader.pause)
            return Pulse(reading.version, reader.pause, over=not is_open(reading.run))

        return self._streams.answer(request, look)

    async def probes(self, request: Request, person: Person) -> Response:
        """Draw the latency of the probes of one region, while a rollback is verified."""
        incident = (await self._shared.read(request)).incident
        if incident is None or not self._shared.visible(incident, person):
            raise NotAllowed("Not shown.")
        cluster, index = request.path_params["cluster"], request.path_params["index"]
        series = await self._cluster_probes(incident, cluster)
        if index >= len(series):
            raise NotFound("There are no such probes now.")
        return _svg(probe_chart(series[index]))

    async def postmortems(self, request: Request, person: Person) -> Response:
        """List the post-mortems that are not completed. Needs no worker."""
        client, now = await self._shared.connected(), datetime.now(UTC)
        found = await list_postmortems(client)
        lines = [postmortem_line(run, self._shared.runbook, now) for run in found[:_SHOWN]]
        query = f"WorkflowType = '{POSTMORTEM_WORKFLOW}' AND ExecutionStatus = 'Running'"
        inspector = self._renderer.temporal_ui(query=query)
        return self._renderer.page(
            request, person, "postmortems.html.j2", lines=lines, count=len(found), inspector=inspector
        )

    async def report(self, request: Request, person: Person) -> Response:
        """Show the report of a period."""
        query = self._report_query(request)
        found = await self._report.read(await self._shared.connected(), query)
        return self._renderer.page(
            request,
            person,
            "report.html.j2",
            report=found,
            query=query,
            plans=tuple(self._shared.runbook.sla),
            services=tuple(service.name for service in self._shared.runbook.services),
            lines=tuple(reversed(found.lines))[:_LINES],
            definitions=DEFINITIONS,
            address=request.url.query,
            inspector=self._renderer.temporal_ui(query=f"WorkflowType = '{INCIDENT_WORKFLOW}'"),
        )

    async def report_chart(self, request: Request, person: Person) -> Response:
        """Draw one chart of the report."""
        draw = _CHARTS.get(request.path_params["chart"])
        if draw is None:
            raise NotFound("There is no such chart.")
        return _svg(draw(await self._report.read(await self._shared.connected(), self._report_query(request))))

    def _report_query(self, request: Request) -> ReportQuery:
        return ReportQuery.of(request.query_params, datetime.now(UTC).date(), self._shared.runbook)

    async def _all_probes(self, incident: Incident, view: IncidentView) -> dict[str, tuple[ProbeSeries, ...]]:
        """Return the probes by cluster, of the rollbacks that are being verified."""
        clusters = [rollback.cluster for rollback in view.rollbacks if rollback.probed]
        found = {cluster: await self._cluster_probes(incident, cluster) for cluster in clusters}
        return {
            cluster: tuple(one.replace(probes=one.probes[-_PROBES:]) for one in series)
            for cluster, series in found.items()
        }

    async def _cluster_probes(self, incident: Incident, cluster: str) -> tuple[ProbeSeries, ...]:
        if self._probes is None:
            self._probes = ProbeReader(await self._shared.connected())
        return await self._probes.read(rollback_workflow_id(cluster, incident.service, drill=incident.drill))


def probe_chart(series: ProbeSeries) -> str:
    """Return the latency (ms) of a region's probes as an SVG; a probe that failed leaves a gap."""
    points = tuple((probe.at, probe.elapsed_ms) for probe in series.probes if probe.elapsed_ms is not None)
    return panel(series.title, [Series(name="latency (ms)", region="", points=points)])


async def _entries(incident: Incident, which: Part, before: int) -> tuple[Entry, ...]:
    """Return the entries that a page of the timeline is chosen from; older ones are read where they are needed."""
    if which is Part.PUBLIC:
        whole = await asyncio.to_thread(all_public_entries, incident) if reaches_archive(incident, before) else None
        return whole or public_entries(incident.updates.published)
    found = await asyncio.to_thread(complete, incident) if reaches_archive(incident, before) else incident
    return found.timeline


def _timeline_query(request: Request) -> tuple[Part, int]:
    show, before = request.query_params.get("show", ""), request.query_params.get("before", "")
    which = Part(show) if show in tuple(Part) else Part.ALL
    return which, int(before) if re.fullmatch(r"[0-9]{1,9}", before) else 0


def _svg(drawn: str) -> Response:
    if not drawn:
        raise NotFound("There is nothing to draw.")
    return Response(drawn, media_type="image/svg+xml", headers=_CHART_HEADERS)
