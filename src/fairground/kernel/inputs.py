"""Inputs: the base class of request bodies, of JSON and of forms."""

import re
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_STRICT_TYPES: Final = frozenset({"bool", "float", "int", "str"})
_INSTANT_TYPES: Final = frozenset({"date", "datetime", "time"})
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")


def _strict(schema: Any) -> Any:
    """Return a core schema in which no scalar is converted, however deep."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    within = {name: part if name in {"cls", "metadata", "default"} else _strict(part) for name, part in schema.items()}
    if within.get("type") in _STRICT_TYPES:
        return within | {"strict": True}
    if within.get("type") in _INSTANT_TYPES:
        return core_schema.no_info_before_validator_function(_refuse_number, within)
    return within


def _refuse_number(value: Any) -> Any:
    """Refuse seconds since 1970, as a number and as its digits."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise PydanticCustomError("instant_type", "Input should be text as in ISO 8601, such as 2030-05-17")
    return value


class Input(BaseModel):
    """The fields of one operation: unknown ones are refused, texts are trimmed, and no scalar of JSON is converted.

    `true` and `"100"` are no numbers, `1` is no truth value and no instant. Pydantic's own strict mode is no use here:
    the framework has parsed the JSON already, and strict mode then refuses the text of a UUID or of an instant.
    A form, whose fields are all text, is read by `model_validate_strings`. `kernel.text` checks the characters of
    texts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: CoreSchema = _strict(handler(source))
        return schema


def text_field(default: Any = ..., *, most: int, description: str | None = None) -> Any:
    """Describe a text whose length the domain checks, as it does for pages and imports: after it is cleaned.

    A bound of pydantic would count the text as it was sent, in which one letter may take several code points.

    Args:
        most: Code points, for the API's description.
    """
    return Field(default, description=description, json_schema_extra={"maxLength": most})
