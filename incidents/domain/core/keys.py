"""What identifies an obligation: the key by which it is done once."""

from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Key(str):
    """A kind of obligation, and the parts that tell it from others of that kind.

    It is made of its parts, and they are read from it as they are. Its text, `kind/part/part`, is what histories and
    vendors hold; a part that holds a slash counts as several once it has been through a history.
    """

    __slots__ = ("kind", "parts")
    kind: str
    parts: tuple[str, ...]

    def __new__(cls, kind: str, *parts: object) -> Self:
        """Return the key of that kind; parts are told apart by their text."""
        texts = tuple(str(part) for part in parts)
        key = super().__new__(cls, "/".join((kind, *texts)))
        key.kind, key.parts = kind, texts
        return key

    def under(self, *parts: object) -> "Key":
        """Return the key of what belongs to this obligation."""
        return Key(self.kind, *self.parts, *parts)

    def __getnewargs__(self) -> tuple[str, ...]:  # type: ignore[override]  # of str it is the text
        """Return what a copy is made of."""
        return (self.kind, *self.parts)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read a key from its text, and write it as its text."""
        return core_schema.no_info_plain_validator_function(
            _read, serialization=core_schema.to_string_ser_schema(when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of its text."""
        return {"type": "string"}


def _read(value: object) -> Key:
    if isinstance(value, Key):
        return value
    if not isinstance(value, str):
        raise ValueError("a key is a text")
    kind, *parts = value.split("/")
    return Key(kind, *parts)
