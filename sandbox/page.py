"""`/`: what a person would have seen in Slack, in the mailbox, on the status page, the pager and the portal."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.vendors.product import FIRST_VERSION

if TYPE_CHECKING:
    from sandbox.app import World

EFFECTS_SHOWN, DEPLOYMENTS_SHOWN, PROBES_SHOWN, ANSWERS_SHOWN, ESSENCE_LENGTH = 40, 6, 30, 3, 200
# Signs that every font has, coloured; an emoji font may be missing where the page is looked at.
EMOJI = {
    **dict.fromkeys(("rotating_light", "fire", "red_circle", "sos"), ("bad", "●")),
    **dict.fromkeys(("warning", "large_orange_circle", "large_yellow_circle"), ("warn", "▲")),
    **dict.fromkeys(("white_check_mark", "large_green_circle", "heavy_check_mark", "tada"), ("good", "✔")),
    **dict.fromkeys(("x", "no_entry"), ("bad", "✖")),
    **dict.fromkeys(("telephone_receiver", "phone"), ("calm", "☎")),
    **dict.fromkeys(("memo", "pencil", "page_facing_up"), ("calm", "✎")),
    **dict.fromkeys(("rewind", "leftwards_arrow_with_hook"), ("calm", "↺")),
}
FORMATS = (
    (re.compile(r"```(.+?)```", re.DOTALL), r"<pre>\1</pre>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~([^~\n]+)~(?![\w~])"), r"<s>\1</s>"),
)
ENTITY = re.compile(r"&lt;(.+?)&gt;")
HTML_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


class Page:
    """The page: the state of all vendors, rendered anew at each request; the browser fetches it every two seconds."""

    def __init__(self, world: World) -> None:
        self.world = world
        folder = FileSystemLoader(Path(__file__).parent / "templates")
        # Callers leave out what they like of a message, so a missing field is empty.
        self.templates = Environment(loader=folder, autoescape=True, undefined=ChainableUndefined, trim_blocks=True)
        self.templates.lstrip_blocks = True
        self.templates.filters |= {
            "mrkdwn": self._mrkdwn,
            "clock": clock,
            "visible": without_comments,
            "essence": essence,
            "merged": lambda place, **more: place | more,
        }

    async def show(self, request: Request) -> Response:
        """GET /."""
        state = self.world.snapshot()
        view = {
            "url": f"{request.url.scheme}://{request.url.netloc}",
            "now": datetime.now(UTC),
            "first_version": FIRST_VERSION,
            "channels": _channels(state["slack"]),
            "people": [user for user in state["slack"]["users"] if not user["is_bot"]],
            "answers": state["slack"]["answers"][: -ANSWERS_SHOWN - 1 : -1],
            "modal": self.world.slack.views.shown,
            "users": {user["id"]: user for user in state["slack"]["users"]},
            "clusters": [self._cluster(row, state) for row in state["ops_portal"]["clusters"]],
            "mails": state["sendgrid"][::-1],
            "meetings": state["zoom"][::-1],
            "silences": state["alertmanager"]["silences"][::-1],
            "runs": state["github_actions"],
            "faults": self.world.faults.rows(),
            "effects": self.world.ledger.effect_rows()[: -EFFECTS_SHOWN - 1 : -1],
            "effect_count": len(self.world.ledger.effects),
            **{name: state[name] for name in ("statuspage", "pagerduty", "github")},
        }
        return HTMLResponse(self.templates.get_template("page.html.j2").render(view))

    @staticmethod
    def _cluster(row: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        rows = [one for one in state["ops_portal"]["deployments"] if one["cluster_id"] == row["id"]]
        product: dict[str, Any] = state["product"][row["region"]]
        shown = {"deployments": rows[:DEPLOYMENTS_SHOWN], "probes": product["probes"][-PROBES_SHOWN:]}
        return row | product | shown | {"portal_version": row["version"]}

    def _mrkdwn(self, text: str) -> Markup:
        """Slack's mrkdwn as HTML: bold, italic, code, links, mentions, the usual emoji."""
        # Senders escape &, < and > themselves; what is left of the angle brackets is Slack's own syntax.
        html = str(escape(text.replace("&lt;", "\u2039").replace("&gt;", "\u203a").replace("&amp;", "&")))
        html = ENTITY.sub(lambda found: self._entity(found[1]), html)
        for pattern, replacement in FORMATS:
            html = pattern.sub(replacement, html)
        html = re.sub(r":([a-z+-][a-z0-9_+-]*):", _emoji, html)
        return Markup(html.replace("\u2039", "&lt;").replace("\u203a", "&gt;"))

    def _entity(self, inner: str) -> str:
        target, _, label = inner.partition("|")
        workspace = self.world.slack.workspace
        if target.startswith("@"):
            user = workspace.users.get(target[1:])
            return f'<span class="mention">@{user["name"] if user else label or target[1:]}</span>'
        if target.startswith("#"):
            channel = workspace.channels.get(target[1:])
            return f'<span class="mention">#{channel.name if channel else label or target[1:]}</span>'
        if target.startswith("!"):
            return f'<span class="mention">@{label or target[1:].partition("^")[0]}</span>'
        if not target.startswith(("http://", "https://", "mailto:")):
            return f"&lt;{inner}&gt;"
        return f'<a href="{target}" rel="noreferrer">{label or target}</a>'


def _emoji(found: re.Match[str]) -> str:
    kind, sign = EMOJI.get(found[1], ("calm", found[0]))
    return f'<span class="{kind}" title="{found[0]}">{sign}</span>'


def _channels(slack: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversations in which something was said or set: channels before direct messages, the newest word first."""
    shown = [row for row in slack["channels"] if row["messages"] or row.get("topic", {}).get("value")]
    shown.sort(key=lambda row: row["messages"][-1]["ts"] if row["messages"] else "", reverse=True)
    shown.sort(key=lambda row: not row.get("creator"))
    names = {user["id"]: user["real_name"] for user in slack["users"] if not user["is_bot"]}
    return [row | {"thread": _threaded(row["messages"]), "title": _title(row, names)} for row in shown]


def _title(row: dict[str, Any], names: dict[str, str]) -> str:
    if row.get("creator"):
        return f"#{row['name']}"
    return "Direct message to " + ", ".join(names[member] for member in row["members"] if member in names)


def _threaded(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest message first, and below each its replies, the newest of them first."""
    parent = {row["ts"]: str(row.get("thread_ts") or row["ts"]) for row in messages}
    ordered = sorted(messages, key=lambda row: (parent[row["ts"]], row["ts"] == parent[row["ts"]], row["ts"]))
    return [row | {"is_reply": row["ts"] != parent[row["ts"]]} for row in reversed(ordered)]


def clock(moment: str) -> str:
    """HH:MM:SS of an RFC 3339 time or of a Slack timestamp, UTC."""
    if re.fullmatch(r"\d+\.\d+", moment):
        return datetime.fromtimestamp(float(moment), UTC).strftime("%H:%M:%S")
    found = re.search(r"T(\d\d:\d\d:\d\d)", moment)
    return found[1] if found else moment


def without_comments(text: str | None) -> str:
    """Markdown as GitHub shows it: without HTML comments."""
    return HTML_COMMENT.sub("", text or "")


def essence(payload: dict[str, Any]) -> str:
    """An effect's payload as one short line."""
    line = json.dumps(payload, ensure_ascii=False)
    return line if len(line) <= ESSENCE_LENGTH else line[:ESSENCE_LENGTH] + " …"
