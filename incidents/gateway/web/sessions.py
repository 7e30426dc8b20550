"""Sessions of the web pages: a signed cookie with who signed in, a token against forged forms, and one message."""

import hmac
import secrets
import time
from urllib.parse import parse_qsl, urlsplit

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

from incidents.app.settings import Settings
from incidents.gateway.responses import read_body

_HOURS = 12
"""How long a session lasts, from the sign-in on: the cookie is made anew by each page."""
_TOKEN, _MESSAGE, _NAME, _PAGE, _SINCE = "form_token", "message", "name", "page", "begun"
_BEGUN, _MOST_SIGN_INS = "_state_", 3
"""What authlib's names of a sign-in begin with, and how many of them are kept: one for each open tab."""
TOKEN_FIELD = "form_token"
"""The hidden field of every form."""
_MOST_FIELDS = 50


class ForgedForm(Exception):
    """A form that did not come from a page of this session. The message says what to do."""


def session_middleware(settings: Settings) -> Middleware:
    """Return what reads and writes the session's cookie. Without `GATEWAY_SECRET`, sessions end with the process."""
    secret = settings.gateway_secret.get_secret_value() or secrets.token_urlsafe(32)
    return Middleware(
        SessionMiddleware,
        secret_key=secret,
        session_cookie="incidents_session",
        max_age=_HOURS * 3600,
        same_site="lax",
        https_only=urlsplit(settings.gateway_url).scheme == "https",
    )


def form_token(request: Request) -> str:
    """Return the session's token, which a form has to send back."""
    return str(request.session.setdefault(_TOKEN, secrets.token_urlsafe(32)))


async def read_form(request: Request, gateway_url: str) -> dict[str, str]:
    """Return the fields of a form that came from a page of this session. `gateway_url`: "" if there is no public one.

    Raises:
        ForgedForm: it did not, or it is no form.
        TooLarge: it is larger than what any endpoint takes.
    """
    body = (await read_body(request)).decode("utf-8", "replace")
    try:
        form = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise ForgedForm("This form cannot be read. Go back and try again.") from None
    expected = str(request.session.get(_TOKEN, ""))
    given = form.get(TOKEN_FIELD, "")
    is_known = bool(expected) and hmac.compare_digest(expected.encode(), given.encode())
    if not is_known or not is_same_origin(request, gateway_url):
        raise ForgedForm("This form is not from your session, or it is too old. Nothing was sent. Open the page again.")
    return form


def signed_in_name(request: Request) -> str:
    """Return who signed in, by their name in the directory; "" if nobody did in the last hours."""
    since = request.session.get(_SINCE)
    if not isinstance(since, int) or not 0 <= time.time() - since < _HOURS * 3600:
        return ""
    return str(request.session.get(_NAME, ""))


def begin_session(request: Request, name: str) -> None:
    """Begin the session of who signed in. Nothing of the one before is kept: someone else may have begun it."""
    request.session.clear()
    request.session[_NAME], request.session[_SINCE] = name, int(time.time())


def end_session(request: Request) -> None:
    """Forget who signed in."""
    request.session.clear()


def drop_old_sign_ins(request: Request) -> None:
    """Keep the newest sign-ins that were begun and not finished: a cookie holds little."""
    begun = [name for name in request.session if name.startswith(_BEGUN)]
    for name in begun[:-_MOST_SIGN_INS]:
        del request.session[name]


def remember_page(request: Request, path: str) -> None:
    """Remember the page to return to after the sign-in; a page of another host is none."""
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    request.session[_PAGE] = path if local else "/"


def wanted_page(request: Request) -> str:
    """Return the page to return to after the sign-in."""
    return str(request.session.get(_PAGE, "/"))


def leave_message(request: Request, text: str) -> None:
    """Keep a message for the next page of this session."""
    request.session[_MESSAGE] = text


def take_message(request: Request) -> str:
    """Return the message that the last request left, once."""
    return str(request.session.pop(_MESSAGE, ""))


def is_same_origin(request: Request, gateway_url: str) -> bool:
    """Tell whether a page of this gateway sent the request, as far as the browser says it.

    Its host is the one of the request, or of the public address: a proxy may change the former.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin", "")
    own = {request.headers.get("host", ""), urlsplit(gateway_url).netloc} - {""}
    return not origin or urlsplit(origin).netloc in own
