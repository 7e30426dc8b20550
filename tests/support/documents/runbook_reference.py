"""docs/runbook-reference.md: every setting of runbook.yaml, made from the schema of its models."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from incidents.domain.config.json_schema import runbook_schema
from incidents.domain.core.time.calendar import Weekday
from incidents.domain.core.time.elapsed import in_words
from tests.support.documents.behaviours import ROOT

DOCUMENT = ROOT / "docs" / "runbook-reference.md"
HEAD = """# Reference of runbook.yaml

Every setting with its type and default, generated from the models by `make configuration`.
[Configuration](configuration.md) says what the sections are for; [`runbook.yaml`](../runbook.yaml) is a whole example.
`incident check` finds every error in one pass.

*duration*: `90s`, `30m`, `4h`, `2d` or `1h 30m`. *term*: a duration or `1 business day`. A contact, a service, a region
and a severity are given by the names that the file itself gives them.
"""
NAMED = re.compile(r"((?:`\w+`(?:, | and )?)+)(?: unset)?: ")
SENTENCE = re.compile(rf"(?<=\.)\s+(?=`)|(?<=;)\s+(?={NAMED.pattern.replace('((', '(?:(')})|\n\n")
DURATION = re.compile(r"-?P(\d|T)")

Schema = dict[str, Any]


@dataclass
class Reference:
    """The reference as it is written: `shown` has the anchor of each model that has its section."""

    schema: Schema
    shown: dict[str, str] = field(default_factory=dict)

    def document(self) -> str:
        """The whole document."""
        top = {name: each for name, each in self.schema["properties"].items() if not each.get("deprecated")}
        simple = {name: each for name, each in top.items() if self.model(each) is None}
        parts = [HEAD, *self.table(simple, {}, self.schema["required"], "")]
        for name, each in top.items():
            parts += self.section(name, each)
        return "\n".join(parts) + "\n"

    def section(self, path: str, value: Schema) -> Iterator[str]:
        """The section of a model with those of the models in it; nothing for another value."""
        found = self.model(value)
        if found is None or found[0] in self.shown:
            return
        name, suffix = found
        model = self.schema["$defs"][name]
        self.shown[name] = path
        intro, described = explained(model.get("description", ""), model["properties"])
        yield f'\n<a id="{anchor(path)}"></a>\n## {path}{suffix}\n'
        yield f"{linked(intro)}\n"
        yield from self.table(model["properties"], described, model.get("required", []), path)
        for key, each in model["properties"].items():
            yield from self.section(f"{path}.{key}", each)

    def table(self, properties: Schema, described: dict[str, str], required: list[str], path: str) -> Iterator[str]:
        """One row for each setting."""
        yield "| setting | type | default | meaning |"
        yield "|---|---|---|---|"
        for name, value in properties.items():
            default = "**required**" if name in required else self.default(value)
            cells = (
                f"`{name}`",
                self.kind(value, f"{path}.{name}".strip(".")),
                default,
                linked(described.get(name, "")),
            )
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    def resolved(self, value: Schema) -> Schema:
        """What a value is once its reference is followed and `null` is left out."""
        if "anyOf" in value:
            given = [each for each in value["anyOf"] if each.get("type") != "null"]
            if len(given) == 1:
                return self.resolved(given[0])
        if "$ref" in value:
            name = value["$ref"].rpartition("/")[2]
            return {**self.schema["$defs"][name], "named": name}
        return value

    def model(self, value: Schema) -> tuple[str, str] | None:
        """The model whose settings a value holds, and how they are reached; None if it holds none."""
        found = self.resolved(value)
        if found.get("type") == "object" and "properties" in found:
            return found.get("named", ""), ""
        if found.get("type") == "array" and (inner := self.model(found["items"])):
            return inner[0], " (each of the list)"
        if (each := values_of(found)) and (inner := self.model(each)):
            return inner[0], ".NAME" + inner[1]
        return None

    def kind(self, value: Schema, path: str) -> str:
        """The type of a value, in words."""
        found = self.resolved(value)
        match found:
            case {"named": "Term"}:
                return "term"
            case {"named": "Weekday"}:
                return "weekday, such as `mon`"
            case {"named": name, "properties": _}:
                return f"[settings](#{anchor(self.shown.get(name, path))})"
            case {"enum": choices}:
                return " or ".join(f"`{each}`" for each in choices)
            case {"const": only}:
                return f"`{only}`"
            case {"anyOf": kinds}:
                return " or ".join(dict.fromkeys(self.choice(each, path) for each in kinds))
            case {"type": "array", "items": each}:
                return f"list of {self.kind(each, path)}"
            case {"type": "object"}:
                each = values_of(found)
                return f"map of name to {self.kind(each, path)}" if each else "map"
        return scalar(found)

    def choice(self, value: Schema, path: str) -> str:
        """The type of a value that may be of another type instead."""
        found = self.resolved(value)
        names = ", ".join(f"`{name}`" for name in found.get("properties", {}))
        return f"a map with {names}" if names else self.kind(found, path)

    def default(self, value: Schema) -> str:
        """The default as it would be written in the file; empty for a model, whose own settings have theirs."""
        found, default = self.resolved(value), value.get("default")
        match default:
            case None:
                return "" if self.model(value) else "unset"
            case "" | []:
                return "empty"
            case dict() if found.get("named") == "Term":
                return f"`{written(default['elapsed'])}`"
            case dict() if self.model(value) and default:
                return ""
            case dict() if not default:
                return "" if "properties" in found else "empty"
            case dict():
                return ", ".join(f"`{key}: {written(each)}`" for key, each in default.items())
            case list() if found.get("items", {}).get("$ref", "").endswith("/Weekday"):
                return ", ".join(f"`{Weekday(day).name.lower()}`" for day in default)
            case list():
                return ", ".join(f"`{written(each)}`" for each in default)
        return f"`{written(default)}`"


def anchor(path: str) -> str:
    """The anchor of a section. Headings have anchors of their own."""
    return f"setting-{path.replace('.', '-')}"


def scalar(found: Schema) -> str:
    """The type of a single value, in words."""
    match found:
        case {"type": "string", "format": form}:
            return str(form)
        case {"type": "string", "pattern": pattern} if "[smhd]" in pattern:
            return "duration"
        case {"type": "string", "pattern": pattern} if pattern.startswith(r"^\d\d:"):
            return "time of day"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "integer" | "number" as number}:
            return f"{number}{limits(found)}"
        case {"type": "string"}:
            return "text"
    return "any value"


def values_of(found: Schema) -> Schema | None:
    """What a map maps its names to."""
    for value in (found.get("additionalProperties"), *found.get("patternProperties", {}).values()):
        if isinstance(value, dict):
            return value
    return None


def limits(found: Schema) -> str:
    """The bounds of a number, in words."""
    low, high = found.get("minimum", found.get("exclusiveMinimum")), found.get("maximum")
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    return f", at least {low:g}" if low is not None else ""


def written(value: Any) -> str:
    """A default as it is written in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    if DURATION.match(value):
        return in_words(TypeAdapter(timedelta).validate_python(value))
    return re.sub(r"^(\d\d:\d\d):00$", r"\1", value).replace("\n", "\\n")


def explained(text: str, properties: Schema) -> tuple[str, dict[str, str]]:
    """Split a docstring into what it says of the whole, and what it says of each setting (`name`: …)."""
    intro: list[str] = []
    described: dict[str, str] = {}
    for sentence in re.split(SENTENCE, text):
        said = " ".join(sentence.split())
        found = NAMED.match(said)
        names = re.findall(r"`(\w+)`", found[1]) if found else []
        if found and set(names) <= set(properties):
            meaning = said.rstrip(";") if " unset: " in found[0] else said[found.end() :].rstrip(";")
            described |= dict.fromkeys(names, meaning[:1].upper() + meaning[1:])
        else:
            intro.append(said)
    return " ".join(intro), described


def linked(text: str) -> str:
    """The text with links in place of what code cites."""
    return re.sub(r"\(behaviours? (\w+)\)", r"([behavior \1](behaviours.md#b\1))", text)


def generated() -> str:
    """The document, made from the models."""
    return Reference(runbook_schema()).document()
