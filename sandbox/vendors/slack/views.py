"""Slack's methods for views: modals, and the app's home tab."""

from __future__ import annotations

import itertools
import json
from typing import Any

from sandbox.vendors.slack.messages import complaints
from sandbox.vendors.slack.workspace import APP_ID, BOT_ID, TEAM, Answer, Arguments, Method, SlackError, Workspace

TITLE_LIMIT, VIEW_BLOCKS, METADATA_LIMIT = 24, 100, 3000


class Views:
    """Modals by id, and the home tab of each person. A trigger is good for one view. `shown`: the modal on the page."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.modals: list[dict[str, Any]] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.shown: dict[str, Any] | None = None
        self._ids = itertools.count(1)
        self._used: set[str] = set()

    def methods(self) -> dict[str, Method]:
        """The methods by their Slack names."""
        return {"views.open": self.open, "views.update": self.update, "views.publish": self.publish}

    def open(self, args: Arguments) -> Answer:
        """Shows a modal to the person whose click or command the trigger came from."""
        trigger = str(args.get("trigger_id") or "")
        if not trigger or trigger in self._used:
            raise SlackError("exchanged_trigger_id" if trigger else "invalid_arguments")
        self._used.add(trigger)
        view = self._checked(args, "modal") | {"id": f"V0SBX{next(self._ids):06d}"}
        self.modals.append(view)
        self.shown = view
        return {"view": view}

    def update(self, args: Arguments) -> Answer:
        """Replaces a modal that is open."""
        view = self.by_id(str(args.get("view_id") or ""))
        view.update({"submit": None} | self._checked(args, "modal"))
        return {"view": view}

    def by_id(self, view_id: str) -> dict[str, Any]:
        """The modal with this id, or not_found."""
        for view in self.modals:
            if view["id"] == view_id:
                return view
        raise SlackError("not_found")

    def close(self) -> None:
        """The modal on the page is closed."""
        self.shown = None

    def publish(self, args: Arguments) -> Answer:
        """Shows a person the home tab."""
        user = str(args.get("user_id") or "")
        if not user:
            raise SlackError("invalid_arguments")
        self.homes[user] = self._checked(args, "home")
        return {"view": self.homes[user]}

    @staticmethod
    def _checked(args: Arguments, kind: str) -> dict[str, Any]:
        """The view, refused by size and shape as Block Kit does."""
        view = args.get("view")
        try:
            view = json.loads(view) if isinstance(view, str) else view
        except ValueError:
            view = None
        if not isinstance(view, dict) or view.get("type") != kind or not view.get("blocks"):
            raise SlackError("invalid_arguments")
        blocks = view["blocks"]
        found = [f"too many blocks in a {kind}"] if len(blocks) > VIEW_BLOCKS else []
        found += [text for block in blocks for text in complaints(block)]
        for name in ("title", "submit", "close"):
            if len(str((view.get(name) or {}).get("text") or "")) > TITLE_LIMIT:
                found.append(f"{name} must be less than {TITLE_LIMIT + 1} characters")
        if kind == "modal" and not view.get("title"):
            found.append("a modal needs a title")
        if any(block["type"] == "input" for block in blocks) and not view.get("submit"):
            found.append("inputs need submit")
        if len(str(view.get("private_metadata") or "")) > METADATA_LIMIT:
            found.append("private_metadata is too long")
        if found:
            raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {it}" for it in found]})
        return {"team_id": TEAM, "app_id": APP_ID, "bot_id": BOT_ID, **view}
