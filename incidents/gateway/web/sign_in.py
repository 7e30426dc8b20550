"""Sign-in by OpenID Connect: authorization code with PKCE, state and nonce, by authlib."""

import logging
import warnings
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from incidents.app.settings import Settings
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.web.access import Access, NotAllowed, Person
from incidents.gateway.web.rendering import HEADERS, Renderer
from incidents.gateway.web.sessions import (
    begin_session,
    drop_old_sign_ins,
    end_session,
    read_form,
    remember_page,
    wanted_page,
)

SIGN_IN, CALLBACK, SIGN_OUT = "/sign-in", "/sign-in/callback", "/sign-out"
_log = logging.getLogger("gateway")


class SignInFailed(Exception):
    """The provider did not confirm who it is. The message says what to do."""


class SignIn:
    """Signs readers in at the provider that the settings name, and out again."""

    def __init__(self, settings: Settings, access: Access, people: PeopleDirectory, renderer: Renderer) -> None:
        self._settings, self._people, self._renderer = settings, people, renderer
        self._client = _build_client(settings) if access.by_sign_in else None
        self._callback = settings.gateway_url.rstrip("/") + CALLBACK

    async def begin(self, request: Request) -> Response:
        """Send the reader to the provider. `next`: the page to return to."""
        client = self._needed_client()
        remember_page(request, request.query_params.get("next", ""))
        try:
            await self._check_issuer()
            redirect: Response = await client.authorize_redirect(request, self._callback)
        except Exception as error:  # as in `_claims`
            _log.warning("The sign-in provider cannot be reached: %s", type(error).__name__)
            raise SignInFailed("The sign-in provider is not answering. Try again in a moment.") from None
        drop_old_sign_ins(request)
        redirect.headers.update(HEADERS)
        return redirect

    async def finish(self, request: Request) -> Response:
        """Take the provider's answer, and return the reader to the page that they wanted."""
        claims = await self._claims(request)
        name = self._people.resolve(_email_of(claims))
        page = wanted_page(request)
        begin_session(request, name)
        _log.info("Signed in: %s", name)
        return RedirectResponse(page, 303, headers=HEADERS)

    async def sign_out(self, request: Request, person: Person) -> Response:
        """End the session here; the one at the provider goes on."""
        await read_form(request, self._settings.gateway_url)
        end_session(request)
        return self._renderer.page(
            request, None, "problem.html.j2", title="Signed out", text="You are signed out of these pages."
        )

    async def _claims(self, request: Request) -> dict[str, Any]:
        """Return what the provider's signed token says of the reader.

        Raises:
            SignInFailed: the answer is not one to a sign-in that began in this session, or its token is not valid.
        """
        client = self._needed_client()
        audience = {"essential": True, "values": [self._settings.oidc_client_id]}
        try:
            metadata = await self._check_issuer()
            options = {"iss": {"essential": True, "values": [metadata["issuer"]]}, "aud": audience}
            token = await client.authorize_access_token(request, claims_options=options)
            return dict(token["userinfo"])
        except Exception as error:  # authlib, joserfc and httpx have many; each means that nobody is signed in
            _log.warning("A sign-in failed: %s", type(error).__name__)
            raise SignInFailed("Sign-in failed. Nothing was changed. Open the page again.") from None

    async def _check_issuer(self) -> dict[str, Any]:
        """Return the provider's metadata, which must be the configured issuer's own (OpenID Connect Discovery, 4.3)."""
        metadata: dict[str, Any] = await self._needed_client().load_server_metadata()
        if str(metadata["issuer"]).rstrip("/") != self._settings.oidc_issuer.rstrip("/"):
            raise ValueError("the metadata are another issuer's")
        return metadata

    def _needed_client(self) -> Any:
        if self._client is None:
            raise NotAllowed("Sign-in is not configured.")
        return self._client


def _build_client(settings: Settings) -> Any:
    """Return authlib's client of the provider. `Any`: authlib has no types."""
    # Imported here: it is slow, and most gateways have no provider.
    import authlib.deprecate as deprecate  # before the filter: its import turns its warnings on

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", deprecate.AuthlibDeprecationWarning)  # it asks for a newer httpx
        from authlib.integrations.starlette_client import OAuth

    issuer = settings.oidc_issuer.rstrip("/")
    return OAuth().register(
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "timeout": settings.http_timeout_seconds,
        },
    )


def _email_of(claims: dict[str, Any]) -> str:
    """Return the reader's address: other claims, such as a user name, may be chosen by the reader.

    Raises:
        SignInFailed: there is none, or the provider says that it is not verified.
    """
    email = str(claims.get("email") or "").strip()
    if "@" not in email or claims.get("email_verified") in (False, "false"):
        raise SignInFailed("The sign-in provider does not confirm an e-mail address of yours, so you are not known.")
    return email[:100]
