"""`/_control`: the sandbox's own API, no vendor's. Tests and the demo break things with it and read what happened."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from sandbox.environment import environment
from sandbox.http import Handler, RefusalError, json_object, route
from sandbox.state import CLOCK
from sandbox.vendors.github.files import GitHubFiles
from sandbox.vendors.github.repository import GitHub
from sandbox.vendors.ops_portal.history import DEFAULT_SERVICES, RELEASE_BOT, STATUSES
from sandbox.vendors.slack.workspace import SlackError

if TYPE_CHECKING:
    from sandbox.app import World

BAD_JSON = RefusalError(400, {"error": "the body must be a JSON object"})


class Control:
    """The control routes, relative to /_control. Every error is a 400 with {"error"}."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[BaseRoute]:
        """GET /environment /ledger /calls /state /faults, POST /faults /reset /deploy /history /say /people /slack
        /click /submit /close /slack-refresh /issue /file, DELETE /faults, PATCH /options.
        """
        return [
            route("/environment", self.environment),
            route("/ledger", self.ledger),
            route("/calls", self.calls),
            route("/state", self.state),
            route("/faults", self.faults),
            route("/faults", _reporting(self.add_fault), "POST"),
            route("/faults", self.clear_faults, "DELETE"),
            route("/options", _reporting(self.options), "PATCH"),
            route("/reset", self.reset, "POST"),
            route("/deploy", _reporting(self.deploy), "POST"),
            route("/history", _reporting(self.history), "POST"),
            route("/say", _reporting(self.say), "POST"),
            route("/people", _reporting(self.people), "POST"),
            route("/slack", _reporting(self.slack), "POST"),
            route("/click", _reporting(self.click), "POST"),
            route("/submit", _reporting(self.submit), "POST"),
            route("/close", self.close, "POST"),
            route("/slack-refresh", self.slack_refresh, "POST"),
            route("/issue", _reporting(self.issue), "POST"),
            route("/file", _reporting(self.file), "POST"),
        ]

    async def environment(self, request: Request) -> Response:
        """The variables that point the program here, as NAME=value lines for an env file; ?shell=1: to source."""
        base = f"{request.url.scheme}://{request.url.netloc}"
        written = shlex.quote if request.query_params.get("shell") else str
        variables = environment(base, self.world.credentials)
        lines = [f"{name}={written(value)}\n" for name, value in variables.items()]
        return PlainTextResponse("".join(lines))

    async def ledger(self, request: Request) -> Response:
        """Every effect in order, ?vendor= one vendor's: seq, at, vendor, operation, payload, status, fault."""
        return JSONResponse(self.world.ledger.effect_rows(request.query_params.get("vendor")))

    async def calls(self, request: Request) -> Response:
        """Every request in order, reads and refused ones too: at, vendor, method, path, status, fault."""
        return JSONResponse(self.world.ledger.call_rows(request.query_params.get("vendor")))

    async def state(self, request: Request) -> Response:
        """All vendors' state."""
        return JSONResponse(self.world.snapshot())

    async def faults(self, request: Request) -> Response:
        """The faults in force."""
        return JSONResponse(self.world.faults.rows())

    async def add_fault(self, request: Request) -> Response:
        """Orders a fault: {vendor, kind, match?, status?, retry_after?, times?, body?}; see faults.Fault."""
        fault = self.world.faults.add(await json_object(request, BAD_JSON))
        return JSONResponse(asdict(fault), 201)

    async def clear_faults(self, request: Request) -> Response:
        """Ends all faults."""
        self.world.faults.clear()
        return Response(status_code=204)

    async def options(self, request: Request) -> Response:
        """Changes knobs; see state.Options."""
        changes = await json_object(request, BAD_JSON)
        known = asdict(self.world.options)
        for name, value in changes.items():
            kind = type(known[name])
            setattr(self.world.options, name, kind(value))
        return JSONResponse(asdict(self.world.options))

    async def reset(self, request: Request) -> Response:
        """Begins anew: no effects, no faults, options, seeds and clock as at the start."""
        CLOCK.set(None)
        self.world.reset()
        return Response(status_code=204)

    async def deploy(self, request: Request) -> Response:
        """{region, version, status?, breaks?}: somebody deploys through the Ops Portal; in_progress, as it stays in
        reality. The versions in `breaks` do not work there any more from then on, as after a change of the data.
        """
        body = await json_object(request, BAD_JSON)
        history, status = self.world.ops_portal.history, body.get("status", "in_progress")
        cluster = history.cluster_of(body["region"])
        if status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}")
        broken = ((cluster.region, str(version)) for version in body.get("breaks") or ())
        self.world.ops_portal.fleet.broken.update(broken)
        row = history.add(cluster, str(body["version"]), status, DEFAULT_SERVICES, RELEASE_BOT)
        return JSONResponse(row.row(), 201)

    async def history(self, request: Request) -> Response:
        """{region, rows: [{version, status, services?, rollback_from?}]}: the new history, oldest first."""
        body = await json_object(request, BAD_JSON)
        if not body["rows"]:
            raise ValueError("rows must not be empty")
        history = self.world.ops_portal.history
        cluster = history.cluster_of(body["region"])
        history.rewrite(cluster, body["rows"])
        return JSONResponse([row.row() for row in history.newest_first(cluster.id)])

    async def say(self, request: Request) -> Response:
        """{channel, email, text, thread_ts?}: a person writes into a Slack channel, or below a message."""
        body = await json_object(request, BAD_JSON)
        return JSONResponse(self.world.slack.say(**body), 201)

    async def people(self, request: Request) -> Response:
        """{email: name, ...}: these people get an account in Slack."""
        body = await json_object(request, BAD_JSON)
        for email, name in body.items():
            self.world.slack.workspace.join(str(name), str(email))
        return Response(status_code=204)

    async def slack(self, request: Request) -> Response:
        """{kind, payload}: a person acts in Slack; it is sent to the app by Socket Mode. With the app's answer."""
        body = await json_object(request, BAD_JSON)
        return JSONResponse(await self.world.slack.socket_mode.deliver(body["kind"], body["payload"]))

    async def click(self, request: Request) -> Response:
        """{email, channel, ts, block_id, action_id}: a person clicks a button of a message; it is sent to the app."""
        base = f"{request.url.scheme}://{request.url.netloc}"
        await self.world.slack.clicks.click(base, await json_object(request, BAD_JSON))
        return Response(status_code=204)

    async def submit(self, request: Request) -> Response:
        """{email, view, values}: a person submits a form. The faults that the app finds, by field."""
        return JSONResponse(await self.world.slack.clicks.submit(await json_object(request, BAD_JSON)))

    async def close(self, request: Request) -> Response:
        """The form on the page is closed, without a word to the app."""
        self.world.slack.views.close()
        return Response(status_code=204)

    async def slack_refresh(self, request: Request) -> Response:
        """Slack asks the app to connect anew."""
        await self.world.slack.socket_mode.refresh()
        return Response(status_code=204)

    async def issue(self, request: Request) -> Response:
        """{number, state?, state_reason?, lost?}: a person changes an issue at GitHub; lost: deleted or moved."""
        body = await json_object(request, BAD_JSON)
        github = self.world.vendors["github"]
        assert isinstance(github, GitHub)
        return JSONResponse(github.happen(int(body.pop("number")), body))

    async def file(self, request: Request) -> Response:
        """{branch, path, text}: a person edits a file at GitHub."""
        body = await json_object(request, BAD_JSON)
        files = self.world.vendors["github_files"]
        assert isinstance(files, GitHubFiles)
        files.branches[body["branch"]][body["path"]] = str(body["text"]).encode()
        return Response(status_code=204)


def _reporting(handler: Handler) -> Handler:
    """Turns what is wrong with an order into a 400 that says so."""

    async def reported(request: Request) -> Response:
        try:
            return await handler(request)
        except RefusalError as refusal:
            return refusal.response()
        except KeyError as error:
            return _wrong(f"missing or unknown: {error}")
        except (ValueError, TypeError, SlackError) as error:
            return _wrong(str(error))

    return reported


def _wrong(message: str) -> Response:
    body: dict[str, Any] = {"error": message}
    return Response(json.dumps(body), 400, media_type="application/json")
