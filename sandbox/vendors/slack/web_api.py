"""`/slack/api/METHOD`: Slack's Web API as the bot of one workspace sees it."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import HTTP_METHODS, bearer, form_fields, is_form, route
from sandbox.state import Credentials, Ledger, Options, pick
from sandbox.vendors.slack.clicks import Clicks
from sandbox.vendors.slack.messages import Messages
from sandbox.vendors.slack.responses import ResponseUrls
from sandbox.vendors.slack.socket_mode import SocketMode
from sandbox.vendors.slack.views import Views
from sandbox.vendors.slack.workspace import (
    BOT_ID,
    BOT_NAME,
    BOT_USER,
    TEAM,
    TOPIC_LIMIT,
    Answer,
    Arguments,
    Channel,
    Method,
    SlackError,
    Workspace,
    page,
    truth,
)

INVITE_LIMIT = 1000


class Slack:
    """Dispatches METHOD, checks the token, reads form or JSON, and answers failures with HTTP 200."""

    def __init__(self, credentials: Credentials, ledger: Ledger, options: Options) -> None:
        self.credentials, self.ledger, self.options = credentials, ledger, options
        self.workspace = Workspace()
        self.response_urls, self.socket_mode = ResponseUrls(ledger), SocketMode()
        self.views = Views(self.workspace)
        self.clicks = Clicks(self.workspace, self.views, self.socket_mode, credentials, options)
        self.methods = self._methods() | Messages(self.workspace).methods() | self.views.methods()
        self.reads = {"auth.test", "pins.list", "bookmarks.list", "users.lookupByEmail", "users.info", "users.list"}
        self.reads |= {f"conversations.{name}" for name in ("list", "info", "history", "replies", "members")}
        self.reads |= {"chat.getPermalink"}

    def routes(self) -> list[BaseRoute]:
        """The API, whose method is in the path, the response URLs, and Socket Mode."""
        api = route("/slack/api/{method:path}", self.call, *HTTP_METHODS)
        return [api, *self.response_urls.routes(), *self.socket_mode.routes()]

    def _methods(self) -> dict[str, Method]:
        return {
            "auth.test": self.auth_test,
            "users.lookupByEmail": lambda args: {"user": self.workspace.by_email(str(args.get("email", "")))},
            "users.info": self.users_info,
            "users.list": lambda args: {"members": list(self.workspace.users.values())},
            "conversations.create": self.create,
            "conversations.list": self.list_channels,
            "conversations.info": lambda args: {"channel": self._channel(args).row()},
            "conversations.members": lambda args: {"members": self._channel(args).members},
            "conversations.invite": self.invite,
            "conversations.join": self.join,
            "conversations.open": self.open,
            "conversations.rename": self.rename,
            "conversations.setTopic": self.set_topic,
            "conversations.setPurpose": self.set_purpose,
            "conversations.archive": self.archive,
            "conversations.unarchive": self.unarchive,
        }

    async def call(self, request: Request) -> Response:
        """Serves one method call. Only rate limits (see faults) are other than HTTP 200."""
        name = request.path_params["method"]
        try:
            args = await self._arguments(request)
            if name == "apps.connections.open":
                self._authenticate(request, args, self.credentials.slack_app_token)
                return JSONResponse({"ok": True, **self.socket_mode.open(request)})
            self._authenticate(request, args, self.credentials.slack_bot_token)
            if name not in self.methods:
                raise SlackError("unknown_method", req_method=name)
            answer = self.methods[name](args)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.error, **error.details})
        if name not in self.reads:
            self.ledger.record("slack", name, self._essence(args, answer))
        return JSONResponse({"ok": True, **answer}, headers={"x-oauth-scopes": self.options.slack_scopes})

    @staticmethod
    def _authenticate(request: Request, args: Arguments, expected: str) -> None:
        # A JSON body needs the header form; a form may carry the token as a field.
        token = bearer(request) or (args.get("token") if is_form(request) else None)
        if not token:
            raise SlackError("not_authed")
        if token != expected:
            raise SlackError("invalid_auth")

    @staticmethod
    async def _arguments(request: Request) -> Arguments:
        args: Arguments = dict(request.query_params)
        if request.headers.get("content-type", "").startswith("application/json"):
            try:
                body = json.loads(await request.body() or b"{}")
            except ValueError:
                raise SlackError("invalid_json") from None
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            return args | body
        if is_form(request):
            args |= await form_fields(request)
        elif await request.body():
            raise SlackError("invalid_post_type")
        return args

    def _essence(self, args: Arguments, answer: Answer) -> dict[str, Any]:
        essence = {name: value for name, value in args.items() if name not in ("token", "blocks", "view")} | pick(
            answer, "ts"
        )
        key = answer.get("channel") if "ts" in answer else args.get("channel") or args.get("channel_id")
        channel = self.workspace.channels.get(str(key))
        return essence | ({"channel_name": channel.name} if channel else {})

    def _channel(self, args: Arguments) -> Channel:
        return self.workspace.channel(str(args.get("channel", "")))

    def _live_channel(self, args: Arguments) -> Channel:
        channel = self._channel(args)
        if channel.is_archived:
            raise SlackError("is_archived")
        if BOT_USER not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def auth_test(self, args: Arguments) -> Answer:
        """Who we are."""
        names = {"url": "https://sandbox.slack.invalid/", "team": "FeatureSignals (sandbox)", "user": BOT_NAME}
        return {**names, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID, "is_enterprise_install": False}

    def users_info(self, args: Arguments) -> Answer:
        """A person by id."""
        user = self.workspace.users.get(str(args.get("user", "")))
        if user is None:
            raise SlackError("user_not_found")
        return {"user": user}

    def create(self, args: Arguments) -> Answer:
        """A new channel; the name rules are in Workspace.check_name."""
        return {"channel": self.workspace.create(str(args.get("name") or ""), private=truth(args, "is_private")).row()}

    def list_channels(self, args: Arguments) -> Answer:
        """Channels, paged by cursor; archived ones too unless excluded."""
        types = str(args.get("types") or "public_channel").split(",")
        rows = [
            channel.row()
            for channel in self.workspace.channels.values()
            if not channel.is_direct
            and ("private_channel" if channel.is_private else "public_channel") in types
            and not (channel.is_archived and truth(args, "exclude_archived"))
        ]
        return page(rows, args, "channels")

    def invite(self, args: Arguments) -> Answer:
        """Invites user ids, not e-mails. One bad user refuses the whole call unless `force` is set."""
        channel = self._live_channel(args)
        users = [user.strip() for user in str(args.get("users") or "").split(",") if user.strip()]
        if not users:
            raise SlackError("no_user")
        if len(users) > INVITE_LIMIT:
            raise SlackError("too_many_users")
        errors = [
            {"user": user, "ok": False, "error": why} for user in users if (why := self._uninvitable(channel, user))
        ]
        if errors and (len(errors) == len(users) or not truth(args, "force")):
            raise SlackError(str(errors[0]["error"]), **({"errors": errors} if len(users) > 1 else {}))
        bad = [error["user"] for error in errors]
        channel.members.extend(user for user in users if user not in bad)
        return {"channel": channel.row()} | ({"errors": errors} if errors else {})

    def _uninvitable(self, channel: Channel, user: str) -> str | None:
        if user == BOT_USER:
            return "cant_invite_self"
        if user not in self.workspace.users:
            return "user_not_found"
        return "already_in_channel" if user in channel.members else None

    def join(self, args: Arguments) -> Answer:
        """Joins a public channel; having joined before is a warning."""
        channel = self._channel(args)
        if channel.is_archived:
            raise SlackError("is_archived")
        if BOT_USER in channel.members:
            warned = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
            return {"channel": channel.row(), **warned}
        channel.members.append(BOT_USER)
        return {"channel": channel.row()}

    def open(self, args: Arguments) -> Answer:
        """A direct conversation with one to eight people."""
        if args.get("channel"):
            return {"channel": self._channel(args).row()}
        users = [user.strip() for user in str(args.get("users") or "").split(",") if user.strip()]
        if not users:
            raise SlackError("users_list_not_supplied")
        if len(users) > 8:
            raise SlackError("too_many_users")
        if any(user not in self.workspace.users or user == BOT_USER for user in users):
            raise SlackError("user_not_found")
        channel, existed = self.workspace.open(users)
        known = {"already_open": True, "no_op": True} if existed else {}
        return known | {"channel": channel.row() if truth(args, "return_im") else {"id": channel.id}}

    def rename(self, args: Arguments) -> Answer:
        """Another name under the same rules."""
        channel, name = self._live_channel(args), str(args.get("name") or "")
        self.workspace.check_name(name)
        channel.previous_names.insert(0, channel.name)
        channel.name = name
        return {"channel": channel.row()}

    def set_topic(self, args: Arguments) -> Answer:
        """At most 250 characters."""
        channel = self._live_channel(args)
        channel.topic = _limited(args.get("topic"))
        return {"channel": channel.row()}

    def set_purpose(self, args: Arguments) -> Answer:
        """At most 250 characters."""
        channel = self._live_channel(args)
        channel.purpose = _limited(args.get("purpose"))
        return {"purpose": channel.purpose}

    def archive(self, args: Arguments) -> Answer:
        """Archives; the name stays taken. A second time is already_archived."""
        channel = self._channel(args)
        if channel.is_archived:
            raise SlackError("already_archived")
        if channel.name == "general":
            raise SlackError("cant_archive_general")
        channel.is_archived = True
        return {}

    def unarchive(self, args: Arguments) -> Answer:
        """Brings an archived channel back."""
        channel = self._channel(args)
        if not channel.is_archived:
            raise SlackError("not_archived")
        channel.is_archived = False
        return {}

    def say(self, channel: str, email: str, text: str, thread_ts: str = "") -> Answer:
        """A person writes into a channel, or below a message; for the sandbox's own control."""
        user, target = self.workspace.by_email(email), self.workspace.addressee(channel)
        message = {"type": "message", "user": user["id"], "team": TEAM, "text": text, "ts": self.workspace.ts()}
        if thread_ts:
            message["thread_ts"] = thread_ts
            parent = target.message(thread_ts)
            parent["reply_count"] = parent.get("reply_count", 0) + 1
        target.messages.append(message)
        return message

    def snapshot(self) -> dict[str, Any]:
        """All conversations with their messages."""
        extras = ("members", "messages", "ephemerals", "pins", "bookmarks")
        channels = self.workspace.channels.values()
        rows = [channel.row() | {name: getattr(channel, name) for name in extras} for channel in channels]
        users, answers = list(self.workspace.users.values()), self.response_urls.answers
        views = {"modals": self.views.modals, "homes": self.views.homes}
        connections = self.socket_mode.connections
        return {"channels": rows, "users": users, "answers": answers, "connections": connections, **views}


def _limited(text: Any) -> str:
    if len(str(text or "")) > TOPIC_LIMIT:
        raise SlackError("too_long")
    return str(text or "")
