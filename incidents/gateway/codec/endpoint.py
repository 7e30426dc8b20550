"""`POST /codec/decode`: Temporal's codec server protocol, for those who may read what they ask for.

It decrypts and never encrypts: what is sent to an incident goes through our own clients, which encrypt themselves.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import Client

from incidents.app.api_tokens import ApiTokens
from incidents.app.encryption.codec import EncryptionCodec, is_encrypted, workflow_id_of
from incidents.app.settings import Settings
from incidents.client.problems import Undecryptable
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.visibility import is_public, may_decode
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.codec.audit_log import AuditLog
from incidents.gateway.codec.concerned import ConcernedIncidents
from incidents.gateway.codec.reader import PayloadReader, Unidentified, identify
from incidents.gateway.responses import TooLarge, read_body
from incidents.gateway.web.access import Access

PATH = "/codec/decode"
_LARGEST = 8 * 1024 * 1024
"""Bytes of a request: the largest payload of Temporal has 2 MB, a third more in base64, and a request has several."""
_log = logging.getLogger("gateway.codec")


class CodecEndpoint:
    """Decrypts payloads. Off without keys, and without the origin of the Temporal UI."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        settings: Settings,
        runbook: RunbookConfig,
        tokens: ApiTokens,
        access: Access,
    ) -> None:
        """Serve who is identified by a token or at the pages.

        Args:
            connect: returns a client that is connected to Temporal, or raises `RPCError`.
            settings: of this process.
            runbook: names the operators.
            tokens: those of the API.
            access: tells who is signed in to the pages.
        """
        self._codec, self._namespace = EncryptionCodec(settings.key_ring), settings.temporal_namespace
        ui = urlsplit(settings.temporal_ui_url)
        self._origin = f"{ui.scheme}://{ui.netloc}" if ui.netloc else ""
        self._is_on = bool(settings.key_ring and self._origin)
        self._runbook, self._people = runbook, PeopleDirectory(runbook.people.directory)
        self._tokens, self._access = tokens, access
        self._concerned, self._audit = ConcernedIncidents(connect), AuditLog(time.monotonic)

    def routes(self, sessions: Middleware) -> list[Route]:
        """Return the route, if the codec server is on. `sessions`: reads the session of the pages."""
        if not self._is_on:
            return []
        cors = Middleware(
            CORSMiddleware,
            allow_origins=[self._origin],
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type", "x-namespace"],
            allow_credentials=True,
        )
        return [Route(PATH, self.decode, methods=["POST", "OPTIONS"], middleware=[cors, sessions])]

    def describe(self) -> str:
        """Return in one line whether it is on."""
        return f"/codec: {'on' if self._is_on else 'off (PAYLOAD_KEYS or TEMPORAL_UI_URL is not set)'}"

    async def decode(self, request: Request) -> Response:
        """Return the payloads, those decrypted that the sender may read."""
        if request.headers.get("origin", self._origin) != self._origin:
            return _refuse(request, 403, "only the origin of TEMPORAL_UI_URL may ask for payloads")
        if request.headers.get("x-namespace", self._namespace) != self._namespace:
            return _refuse(request, 400, f"this gateway decodes payloads of the namespace {self._namespace}")
        try:
            reader = identify(request, self._tokens, self._access)
            asked = Parse(await read_body(request, _LARGEST), Payloads(), ignore_unknown_fields=True)
            return await self._answer(request, asked, reader)
        except Unidentified as problem:
            return _refuse(request, problem.status, str(problem))
        except TooLarge:
            return _refuse(request, 413, f"the request is larger than {_LARGEST // 1024 // 1024} MiB")
        except (ParseError, ValueError):
            return _refuse(request, 400, 'a JSON object {"payloads": […]} is needed')
        except Undecryptable as problem:
            return _refuse(request, 422, str(problem))

    async def _answer(self, request: Request, asked: Payloads, reader: PayloadReader) -> Response:
        encrypted = [payload for payload in asked.payloads if is_encrypted(payload)]
        decrypted = await self._codec.decode(encrypted)  # before its workflow's id is believed
        workflows = list(dict.fromkeys(workflow_id_of(payload) for payload in encrypted))
        allowed = {workflow for workflow in workflows if await self._may_read(workflow, reader)}
        refused = [workflow for workflow in workflows if workflow not in allowed]
        self._audit.record(reader.name, "decoded", [workflow for workflow in workflows if workflow in allowed])
        self._audit.record(reader.name, "was refused", refused)
        if refused and not allowed:
            return _refuse(request, 403, "you may not read these payloads; see docs/encryption.md#codec-server")
        plain = iter(decrypted)
        shown: list[Payload] = []
        for payload in asked.payloads:
            found = next(plain) if is_encrypted(payload) else payload
            shown.append(found if workflow_id_of(payload) in allowed else payload)
        return JSONResponse(MessageToDict(Payloads(payloads=shown)), headers={"cache-control": "no-store"})

    async def _may_read(self, workflow_id: str, reader: PayloadReader) -> bool:
        if reader.reads_everything:
            return True
        incidents = await self._concerned.read(workflow_id) if workflow_id else None
        if reader.is_token:
            return is_public(incidents)
        return may_decode(incidents, reader.name, self._runbook, self._people)


def _refuse(request: Request, status: int, why: str) -> Response:
    sender = request.client.host if request.client else "unknown"
    _log.warning("Refused a request of %s to decode payloads: %s", sender, one_line(why, 200))
    return JSONResponse({"error": why}, status)
