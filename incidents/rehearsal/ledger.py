"""What the sandbox's vendors did, as effects: whom it reached, where, and in which words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.rehearsal.effects import CUSTOMERS, Effect, EffectKind

_KINDS = {
    "event.trigger": EffectKind.PAGE,
    "mail.send": EffectKind.MAIL,
    "chat.postMessage": EffectKind.POST,
    "conversations.create": EffectKind.CHANNEL,
    "conversations.invite": EffectKind.INVITATION,
    "incident.create": EffectKind.STATUS_PAGE,
    "incident.update": EffectKind.STATUS_PAGE,
    "issue.create": EffectKind.TICKET,
    "comment.create": EffectKind.TICKET,
    "pull.create": EffectKind.PULL_REQUEST,
    "meeting.create": EffectKind.MEETING,
    "deployment.create": EffectKind.DEPLOYMENT,
    "deployment.rollback": EffectKind.DEPLOYMENT,
    "workflow.dispatch": EffectKind.DEPLOYMENT,
    "silence.create": EffectKind.SILENCE,
    "message.post": EffectKind.WEBHOOK,
}
"""Operations of the ledger; all others, such as edits in place, reach nobody."""
_PLACES = {
    EffectKind.STATUS_PAGE: "Status page",
    EffectKind.TICKET: "Issue tracker",
    EffectKind.PULL_REQUEST: "Repository",
    EffectKind.MEETING: "War room",
    EffectKind.DEPLOYMENT: "Deployments",
    EffectKind.SILENCE: "Alert source",
    EffectKind.WEBHOOK: "Webhook",
}
_LONGEST = 4_000
"""Characters of a text."""


class Reader:
    """Reads the ledger. `users`: the people of the chat, as its state has them."""

    def __init__(self, runbook: RunbookConfig, users: list[dict[str, Any]], start: datetime) -> None:
        self._start = start
        self._by_email = {c.email.casefold(): c.name for c in runbook.contacts.values() if c.email}
        self._by_email |= {e.email.casefold(): name for name, e in runbook.people.directory.items() if e.email}
        self._by_contact = {key: contact.name for key, contact in runbook.contacts.items()}
        self._users = {user["id"]: self._person(user["profile"].get("email", "")) for user in users}

    def effects(self, rows: list[dict[str, Any]]) -> Iterator[Effect]:
        """Yield the effects of the ledger's rows, in order."""
        for row in rows:
            kind = _KINDS.get(row["operation"])
            if kind is not None:
                yield self._effect(kind, row["payload"], datetime.fromisoformat(row["at"]))

    def _effect(self, kind: EffectKind, payload: dict[str, Any], at: datetime) -> Effect:
        where, to = _PLACES.get(kind, ""), self._recipients(kind, payload)
        if "channel_name" in payload:
            name = str(payload["channel_name"])
            direct = kind is EffectKind.POST and str(payload.get("channel", ""))[:1] in ("D", "G")
            kind = EffectKind.DIRECT_MESSAGE if direct else kind
            where = "" if direct else f"#{name}"
        if kind is EffectKind.CHANNEL:
            where = f"#{payload.get('name', '')}"
        return Effect(at=at - self._start, kind=kind, to=to, where=where, text=_text(payload)[:_LONGEST])

    def _recipients(self, kind: EffectKind, payload: dict[str, Any]) -> tuple[str, ...]:
        match kind:
            case EffectKind.PAGE:
                named = str((payload.get("custom_details") or {}).get("to", ""))
                return (self._by_contact.get(named, self._by_email.get(named.casefold(), named)),)
            case EffectKind.MAIL:
                return tuple(dict.fromkeys(map(self._person, payload.get("to") or [])))
            case EffectKind.INVITATION:
                return self._accounts(str(payload.get("users", "")))
            case EffectKind.POST if str(payload.get("channel", ""))[:1] in ("U", "D", "G"):
                return self._accounts(str(payload.get("channel_name") or payload.get("channel", "")))
            case EffectKind.STATUS_PAGE:
                return (CUSTOMERS,)
            case _:
                return ()

    def _accounts(self, listed: str) -> tuple[str, ...]:
        return tuple(self._users.get(user.strip(), user.strip()) for user in listed.split(",") if user.strip())

    def _person(self, email: str) -> str:
        return self._by_email.get(email.casefold(), CUSTOMERS)


def _text(payload: dict[str, Any]) -> str:
    subject = str(payload.get("subject") or payload.get("title") or "")
    first = ("text", "body", "summary", "name", "topic", "version", "comment")
    body = next((str(payload[name]) for name in first if payload.get(name)), "")
    return "\n".join(part for part in (subject, body) if part)
