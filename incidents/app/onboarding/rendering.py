"""Write runbook.yaml and .env of the answers, as text."""

import json
import shlex
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidents.app.onboarding.answers import Answers, Vendors
from incidents.domain.config.communication import Channel
from incidents.domain.config.loading import parse_runbook_file


class Pair(NamedTuple):
    """The two files' texts."""

    runbook: str
    env: str


def render(answers: Answers) -> Pair:
    """Return both texts. The runbook was read by the loader of `incident check`.

    Raises:
        RunbookError: the loader finds a fault; one line each.
    """
    view = _view(answers)
    templates = Environment(  # nosec B701
        loader=PackageLoader("incidents.app.onboarding"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # YAML and shell, each value quoted by its filter
    )
    templates.filters |= {"yaml": _quoted, "flow": _flow, "shell": shlex.quote, "title_words": _words, "comment": _line}
    runbook, env = (templates.get_template(name).render(view) for name in ("runbook.yaml.j2", "env.j2"))
    parse_runbook_file(runbook)
    return Pair(runbook, env)


def _view(answers: Answers) -> dict[str, Any]:
    contacts = [("on_call", "On-call", answers.on_call), ("on_call_backup", "Second on-call", answers.backup)]
    contacts += [("manager", "Engineering manager", answers.manager)]
    known = [{"key": key, "name": name, "email": email} for key, name, email in contacts if email]
    keys = [contact["key"] for contact in known]
    return {
        **{name: getattr(answers, name) for name in Answers.model_fields},
        "hosted": answers.vendors is Vendors.HOSTED,
        "webhook": Channel.WEBHOOK in answers.channels,
        "contacts": known,
        "responders": [key for key in keys if key != "manager"],
        "manager_key": "manager" if answers.manager else "on_call",
        "ladder": _ladder(keys),
    }


def _ladder(keys: list[str]) -> list[str]:
    """Return who is called after the page to on-call."""
    rungs, by = [], "[page, email]"
    if "on_call_backup" in keys:
        rungs.append(f"{{contact: on_call_backup, unless: acknowledged, by: {by}}}")
    if "manager" in keys:
        rungs.append(f"{{contact: manager, after: 30m, unless: mitigated, by: {by}}}")
    return rungs or [f"{{contact: on_call, unless: acknowledged, by: {by}}}"]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _flow(values: list[str]) -> str:
    return f"[{', '.join(map(str, values))}]"


def _words(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize()


def _line(text: str) -> str:
    return " ".join(text.split())
