"""The table of variables in docs/configuration.md: the words are kept, the rest comes from the model."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from incidents.app.composition.needs import NEEDS
from incidents.app.folders import state_folder
from incidents.app.setting_types import Networks, TopicArns, WebUrl
from incidents.app.settings import Settings

ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|(.*)\|$", re.MULTILINE)
CELLS = re.compile(r"(?<!\\)\|")
ENCRYPTION = {"PAYLOAD_KEYS": "payload encryption"}
"""What `Settings.integrations()` lists besides `NEEDS`."""
HINTS = get_type_hints(Settings, include_extras=True)


def generated(text: str) -> str:
    """The document with type, default, secret and integration of each variable made anew; its words are kept."""
    return ROW.sub(_row, text)


def _row(found: re.Match[str]) -> str:
    name = found[1]
    if name.lower() not in Settings.model_fields:
        return found[0]
    meaning, _, written, _, _ = (cell.strip() for cell in CELLS.split(found[2]))
    setting = Settings.model_fields[name.lower()]
    secret = "yes" if setting.annotation is SecretStr or "SecretStr" in str(setting.annotation) else ""
    cells = (f"`{name}`", meaning, _type(name.lower(), setting), _default(setting, written), secret, _enables(name))
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def _default(setting: FieldInfo, written: str) -> str:
    """The model's default. If it has none, the words that say what happens then."""
    value = setting.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if not value or isinstance(value, SecretStr):
        return written
    if setting.default_factory is None:
        return f"`{value:g}`" if isinstance(value, float | int) else f"`{value}`"
    place = str(value).replace(str(state_folder()), "~/.local/state/incident-runbook")
    here = Path.cwd().as_uri()
    return f"the folder `{place.removeprefix(here + '/')}`" if place.startswith(here) else f"`{place}`"


def _enables(name: str) -> str:
    found = [integration for integration, needs in NEEDS.items() if name in needs]
    return ", ".join(found) or ENCRYPTION.get(name, "")


KINDS: dict[Any, str] = {
    WebUrl: "URL", Networks: "list", TopicArns: "list", bool: "`true`, `false`", Path: "path", SecretStr: "text",
}  # fmt: skip


def _type(name: str, setting: FieldInfo) -> str:
    hint = HINTS[name]
    inner = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is Literal:
        return ", ".join(f"`{each}`" for each in inner)
    if "dict[" in str(setting.annotation):
        return "JSON object"
    kind = inner[0] if inner and hint not in KINDS else hint
    return f"number{_limits(setting)}" if kind in (int, float) else KINDS.get(kind, "text")


def _limits(setting: FieldInfo) -> str:
    """The bound of a number, in words."""
    for constraint in setting.metadata:
        match constraint:
            case Le(le=high):
                return f", at most {high}"
            case Ge(ge=low):
                return f", at least {low}"
    return ""
