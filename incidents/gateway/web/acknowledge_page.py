"""The page behind the link of a page: one tap opens it, a second one acknowledges. The link is the permission."""

from collections.abc import Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from incidents.client.commands import send
from incidents.client.lookup import current, describe
from incidents.client.paging.acknowledge_links import AcknowledgeLinks, InvalidLink, SignedPage
from incidents.client.problems import CommandFailed, NoAnswer, NotFound
from incidents.cutting import cut
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.commands import Acknowledge
from incidents.domain.incident.display.summary import headline, people_line
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.page_life import LINK_LIFE, is_page_open
from incidents.gateway.web.access import Person
from incidents.gateway.web.overview import incident_href
from incidents.gateway.web.pages import Shared
from incidents.gateway.web.reads import Reading
from incidents.gateway.web.sessions import ForgedForm, is_same_origin

_ANSWER_WITHIN = timedelta(seconds=5)
_LONGEST_NAME = 100
_ENDED = "This page is over: it was acknowledged or resolved, or a newer one has taken its place. Nothing was changed."
_LIFE = in_words(LINK_LIFE)
_INVALID = f"This link is not valid, or it is older than {_LIFE}. Nothing was changed. Run `incident ack` instead."
_PAGED = "the person who was paged"
_QUIETLY_REFUSED = "The acknowledgement was refused. Nothing was changed. Open the incident to see why."


class AcknowledgePage:
    """Acknowledges a page. `signed_in`: returns who signed in; None if the reader did not."""

    def __init__(
        self, shared: Shared, links: AcknowledgeLinks | None, signed_in: Callable[[Request], Person | None]
    ) -> None:
        self._shared, self._renderer, self._links, self._signed_in = shared, shared.renderer, links, signed_in

    async def ask(self, request: Request) -> Response:
        """Show what is acknowledged, and as whom. It changes nothing: mail and chat programs open links, too."""
        page = self._page(request)
        incident = (await self._read(page)).incident
        if incident is None or not is_page_open(incident, page.key, page.at):
            return self._answer(request, incident, _ENDED, 410)
        return self._answer(request, incident, "", 200, by=self._actor(request, incident, page))

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge. Only this link's page can have sent the form: no one else knows the link."""
        if not is_same_origin(request, self._shared.settings.gateway_url):
            raise ForgedForm("This form does not come from the page of the link. Nothing was changed.")
        page = self._page(request)
        reading = await self._read(page)
        incident = reading.incident
        if incident is None or not is_page_open(incident, page.key, page.at):
            return self._answer(request, incident, _ENDED, 410)
        by = self._actor(request, incident, page)
        quiet = incident.private and self._signed_in(request) is None
        command = Acknowledge(by=by, id=f"page-{page.key}"[:200])
        try:
            client, permissions = await self._shared.connected(), self._shared.permissions
            sent = await send(client, reading.run, command, _ANSWER_WITHIN, permissions)
        except CommandFailed as refusal:
            said = _QUIETLY_REFUSED if quiet else str(refusal)
            return self._answer(request, incident, said, 409)
        self._shared.readers.reader_of(await self._shared.connected(), reading.run).expire()
        return self._answer(request, incident, sent.message if sent.queued or not quiet else "Acknowledged", 200)

    def _page(self, request: Request) -> SignedPage:
        """Return the page of the link.

        Raises:
            NotFound: the link is not valid.
        """
        if self._links is None:
            raise NotFound(_INVALID)
        try:
            return self._links.read(request.path_params["token"])
        except InvalidLink:
            raise NotFound(_INVALID) from None

    async def _read(self, page: SignedPage) -> Reading:
        """Return the incident that the page was sent for, and never a later one with the same workflow id."""
        client = await self._shared.connected()
        run = await current(client, await describe(client, page.workflow_id, page.run_id))
        reading = await self._shared.readers.reader_of(client, run).read()
        if reading.incident is None:
            raise NoAnswer(reading.warning)
        return reading

    def _actor(self, request: Request, incident: Incident, page: SignedPage) -> str:
        """Return who acts: who signed in, else who was paged, as the schedule of the contact says."""
        if (person := self._signed_in(request)) is not None:
            return person.name[:_LONGEST_NAME]
        found, contact = incident.paging.who(page.to), self._shared.runbook.contacts.get(page.to)
        name = (found.email or found.name) if found else ""
        return self._shared.people.resolve(name or (contact.name if contact else page.to))[:_LONGEST_NAME] or "on-call"

    def _answer(self, request: Request, incident: Incident | None, said: str, status: int, *, by: str = "") -> Response:
        """Show the page. `by`: who would acknowledge; "" if there is nothing to acknowledge."""
        name, shown, people, href = "", "", "", ""
        if incident is not None:
            href = incident_href(str(incident.number or incident.workflow_id))
            name = shown = incident.name
            if not incident.private:
                people, shown = people_line(incident), cut(headline(incident), 300)
            elif by and self._signed_in(request) is None:
                by = _PAGED
        values = {"name": name, "shown": shown, "people": people, "href": href, "said": said, "by": by}
        return self._renderer.page(request, None, "acknowledge.html.j2", status, address=request.url.path, **values)
