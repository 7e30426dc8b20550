"""Links in pages. The one that acknowledges with one tap is signed, for that page only, and for a day at most."""

from datetime import datetime
from urllib.parse import quote

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import AwareDatetime, ValidationError

from incidents.domain.core.base import Frozen
from incidents.domain.paging.page_life import LINK_LIFE

PATH = "/acknowledge"


class PageRef(Frozen):
    """A page that was sent. `key`: the pager's; `run_id`: a run of the incident; `to`: the contact who was paged."""

    key: str
    run_id: str
    to: str

    @property
    def workflow_id(self) -> str:
        """The incident's workflow: what the keys of its pages begin with."""
        return self.key.partition("/")[0]


class SignedPage(PageRef):
    """The page that a link is for, and when the link was made."""

    at: AwareDatetime


class InvalidLink(Exception):
    """The link was not made here, or is too old."""


class AcknowledgeLinks:
    """Makes and reads links. `url`: the gateway's public address; `secret`: known to worker and gateway only."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url.rstrip("/")
        self._signer = URLSafeTimedSerializer(secret, salt="acknowledge-page")

    def link(self, page: PageRef) -> str:
        """Return the link of a page that is being sent."""
        token = self._signer.dumps([page.key, page.run_id, page.to])
        return f"{self._url}{PATH}/{quote(token)}"

    def incident(self, page: PageRef) -> str:
        """Return the address of the incident's page, which asks who reads it."""
        return f"{self._url}/incidents/{quote(page.workflow_id, safe='')}"

    def read(self, token: str) -> SignedPage:
        """Return the page that a link is for.

        Raises:
            InvalidLink: it was not signed with this secret, or is too old.
        """
        longest = int(LINK_LIFE.total_seconds())
        try:
            (key, run_id, to), at = self._signer.loads(token, max_age=longest, return_timestamp=True)
            return SignedPage(key=key, run_id=run_id, to=to, at=_aware(at))
        except (BadData, ValidationError, ValueError, TypeError):
            raise InvalidLink from None


def _aware(at: datetime) -> datetime:
    return at.astimezone()
