"""The JSON Schema of runbook.yaml, for editors: what is written there, not what is made of it."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.probes import one_or_more
from incidents.domain.core.time.calendar import Weekday
from incidents.domain.customers.config import CustomersSection

_DURATION = r"^\s*(\d+\s*[smhd]\s*)+$|^-?P"
_TERM = r"^\s*(\d+\s*[smhd]\s*)+$|^\s*\d+ business days?\s*$"
_INTERNAL = {"Customers": ("names", "listed"), "CustomersSection": ("names", "listed"), "People": ("names",)}
"""Fields that are no part of the file: a runbook that an incident carries has them in place of addresses."""


class _Written(GenerateJsonSchema):
    """Describes values as they are written: `30m`, `09:00`, `mon`."""

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": _DURATION}

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        described = super().function_before_schema(schema)
        if schema["function"]["function"] is not one_or_more:
            return described
        return {"anyOf": [described, described["items"]]}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        if schema["cls"] is not Weekday:
            return super().enum_schema(schema)
        return {"type": "string", "pattern": f"^({'|'.join(map(_any_case, Weekday))})"}


def _any_case(day: Weekday) -> str:
    return "".join(f"[{letter}{letter.lower()}]" for letter in day.name)


def runbook_schema() -> dict[str, Any]:
    """Return the schema. Only `incident check` sees what refers to another part of the file."""
    schema = RunbookConfig.model_json_schema(schema_generator=_Written)
    customers = CustomersSection.model_json_schema(schema_generator=_Written)
    definitions = {**schema.pop("$defs"), **customers.pop("$defs", {}), "Customers": customers}
    definitions["Term"] = {"type": "string", "pattern": _TERM, "description": definitions["Term"]["description"]}
    for name, fields in _INTERNAL.items():
        for field in fields:
            definitions.get(name, {}).get("properties", {}).pop(field, None)
    schema["properties"]["patience"] = schema["properties"]["retry_for"] | {"deprecated": True}
    schema["properties"]["customers"] = {"$ref": "#/$defs/Customers"}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "runbook.yaml"}
    closed: dict[str, Any] = _closed(whole | {"$defs": definitions})
    return closed


def _closed(schema: Any) -> Any:
    """Return the schema with unknown fields refused, as the loader refuses them."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        closed["additionalProperties"] = False
    return closed
