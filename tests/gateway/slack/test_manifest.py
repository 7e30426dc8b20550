"""docs/slack-app-manifest.yaml: one paste gives the app what the code uses, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from incidents.gateway.slack.messages import START_INCIDENT, TO_TIMELINE
from incidents.gateway.slack.slash.commands import COMMAND

ROOT = Path(__file__).resolve().parents[3]
CALLS = re.compile(r'_api\.(?:call|items)\(\s*"([\w.]+)"')
BOLT_CALLS = re.compile(r"client\.((?:apps|chat|conversations|pins|reactions|users|views)_\w+)\(")
SCOPES: dict[str, set[str]] = {
    "auth.test": set(),
    "bookmarks.add": {"bookmarks:write"},
    "bookmarks.list": {"bookmarks:read"},
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.archive": {"channels:manage", "groups:write"},
    "conversations.create": {"channels:manage", "groups:write"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.invite": {"channels:manage", "groups:write"},
    "conversations.list": {"channels:read", "groups:read"},
    "conversations.open": {"im:write"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "conversations.setPurpose": {"channels:manage", "groups:write"},
    "conversations.setTopic": {"channels:manage", "groups:write"},
    "conversations.unarchive": {"channels:manage", "groups:write"},
    "pins.add": {"pins:write"},
    "users.info": {"users:read"},
    "users.lookupByEmail": {"users:read.email"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
}
"""What each method needs in public and private channels and direct messages, as docs.slack.dev lists it."""
EVENTS = {"app_home_opened": set[str](), "reaction_added": {"reactions:read"}}


@pytest.fixture
def manifest() -> Any:
    return yaml.safe_load((ROOT / "docs" / "slack-app-manifest.yaml").read_text(encoding="utf-8"))


def called_methods() -> set[str]:
    sources = [*(ROOT / "incidents/vendors").rglob("slack*.py"), *(ROOT / "incidents/vendors").glob("slack/*.py")]
    found = {name for path in sources for name in CALLS.findall(path.read_text(encoding="utf-8"))}
    listeners = (ROOT / "incidents/gateway/slack").glob("*.py")
    names = {name for path in listeners for name in BOLT_CALLS.findall(path.read_text(encoding="utf-8"))}
    return found | {name.replace("_", ".", 1) for name in names}


def test_the_scopes_are_those_of_the_methods_that_the_code_calls(manifest: Any) -> None:
    called = called_methods()
    assert called == SCOPES.keys()
    needed = {"commands"}.union(*SCOPES.values(), *EVENTS.values())
    listed = manifest["oauth_config"]["scopes"]["bot"]
    assert set(listed) == needed
    assert listed == sorted(listed)


def test_the_command_is_the_one_that_the_gateway_listens_to(manifest: Any) -> None:
    [command] = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert not command["should_escape"], "else a link in an update would reach customers as <https://…|…>"
    assert manifest["settings"]["socket_mode_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]


def test_the_events_and_shortcuts_are_those_that_the_gateway_listens_to(manifest: Any) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "incidents/gateway/slack").glob("*.py"))
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == EVENTS.keys()
    assert set(re.findall(r'bolt\.event\("(\w+)"\)', code)) == EVENTS.keys()
    shortcuts = {each["callback_id"]: each["type"] for each in manifest["features"]["shortcuts"]}
    assert shortcuts == {TO_TIMELINE: "message", START_INCIDENT: "message"}
    assert manifest["features"]["app_home"]["home_tab_enabled"]


def test_people_reach_the_home_tab_and_read_direct_messages_there(manifest: Any) -> None:
    home = manifest["features"]["app_home"]
    assert home == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": True,
    }, "the app answers no direct message, and sends some"


def test_slacks_limits_of_a_manifest(manifest: Any) -> None:
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
    assert len(manifest["features"]["slash_commands"][0]["usage_hint"]) <= 1000
    assert all(len(each["name"]) <= 24 for each in manifest["features"]["shortcuts"])
    assert all(len(each["description"]) <= 150 for each in manifest["features"]["shortcuts"])
