"""Who reads the pages: by a trusted proxy's header, by sign-in, or without either only this machine."""

import getpass
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

from incidents.app.proxied import is_proxied
from incidents.app.settings import Settings
from incidents.domain.core.base import Frozen
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.web.sessions import signed_in_name

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
_PUBLIC = (
    "GATEWAY_URL is a public address, and without sign-in everyone behind a proxy could look like this machine:"
    " configure sign-in (OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET) or TRUSTED_PROXIES"
)
_LONGEST_NAME = 100


class Person(Frozen):
    """Who reads a page. `name`: as the directory of runbook.yaml has it. `local`: on this machine, without sign-in.

    `signs_out`: by the session, which a button ends.
    """

    name: str
    local: bool = False
    signs_out: bool = False


class NotAllowed(Exception):
    """This reader may not see the page. The message says what to do."""


class SignInNeeded(Exception):
    """The reader has to sign in first."""


class Access:
    """Tells who sends a request. What is half configured lets nobody in."""

    def __init__(self, settings: Settings, people: PeopleDirectory) -> None:
        self._settings, self._people = settings, people
        sign_in = next(found for found in settings.integrations() if found.name == "web sign-in")
        self.by_sign_in, self._fault = sign_in.on, sign_in.reason if sign_in.half_set else ""
        self.by_proxy = bool(settings.trusted_proxies)
        if not self._fault and not self.by_sign_in and not self.by_proxy and _is_public(settings.gateway_url):
            self._fault = _PUBLIC

    def describe(self) -> str:
        """Return in one line who may read the pages."""
        if self._fault:
            return f"web pages: closed ({self._fault})"
        ways = [way for way, on in (("sign-in by OIDC", self.by_sign_in), ("trusted proxies", self.by_proxy)) if on]
        return f"web pages: {' and '.join(ways) or 'only from this machine (no sign-in is configured)'}"

    def person(self, request: Request) -> Person:
        """Return who sent the request.

        Raises:
            SignInNeeded: nobody has signed in.
            NotAllowed: the request does not come from where it has to.
        """
        if (found := self.signed_in(request)) is not None:
            return found
        if self._fault:
            raise NotAllowed("Sign-in is not configured completely: the gateway's log says what is missing.")
        if self.by_sign_in:
            raise SignInNeeded
        if self.by_proxy:
            raise NotAllowed("Open these pages through the sign-in proxy.")
        if not is_local(request):
            raise NotAllowed(
                "Sign-in is not configured, so these pages are only for the machine that the gateway runs on."
            )
        return Person(name=self._people.resolve(_login()), local=True)

    def signed_in(self, request: Request) -> Person | None:
        """Return who signed in, at the trusted proxy or here; None if nobody did."""
        if self.by_proxy and (name := self._forwarded_name(request)):
            return Person(name=self._people.resolve(name))
        if self.by_sign_in and (name := signed_in_name(request)):
            return Person(name=name, signs_out=True)
        return None

    def _forwarded_name(self, request: Request) -> str:
        """Return whom the trusted proxy names, once; "" if it names nobody, or if another machine sends the header."""
        peer = _address(request)
        if peer is None or not any(peer in network for network in self._settings.trusted_proxies):
            return ""
        named = request.headers.getlist(self._settings.trusted_proxy_header)
        return one_line(named[0], _LONGEST_NAME).strip() if len(named) == 1 else ""


def is_local(request: Request) -> bool:
    """Tell whether the request comes from this machine, by a name of this machine, and through no proxy.

    The name is checked because a foreign page can make a browser here send requests to a name of its own that resolves
    to 127.0.0.1 (DNS rebinding).
    """
    host = request.headers.get("host", "")
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    peer = _address(request)
    return name.casefold() in _LOCAL_NAMES and not is_proxied(request) and peer is not None and peer.is_loopback


def _is_public(url: str) -> bool:
    """Tell whether the gateway's address is one that other machines use; "" is none."""
    name = urlsplit(url).hostname or ""
    return bool(name) and name.casefold() not in ("localhost", "127.0.0.1", "::1")


def _address(request: Request) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of the other end of the connection; an IPv4 one that came over IPv6 as IPv4."""
    try:
        found = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def _login() -> str:
    """Return the login name that the gateway runs as; the CLI's default, too."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # as in some containers
        return "local user"
