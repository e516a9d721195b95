"""Inputs of requests: the base class of bodies, of JSON and of forms, and where a page of a list begins.

Lists that are ordered by an instant are read by page number while that is cheap, and by cursor without a limit.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fairground.kernel.errors import Invalid

CURSOR_MAX_LENGTH: Final = 128  # characters; the ones written here have 95 at most
PAGED_AT_MOST: Final = 10_000
"""Items that can be reached by page number; for every page the database reads all items before it."""
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
        raise PydanticCustomError("instant_type", "Use an ISO 8601 date, such as 2030-05-17")
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


class PageTooDeep(Invalid):
    code = "page_too_deep"
    hint = "Use `next_cursor` to read further."


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    hint = "Send `next_cursor` unchanged, or leave it out."


@dataclass(frozen=True, kw_only=True)
class TimeCursor:
    """The instant and the id of the last item of a page; the next page begins after both."""

    at: datetime
    id: UUID

    def write(self) -> str:
        text = json.dumps([self.at.isoformat(), self.id.hex], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, word: str) -> Self:
        """Return the cursor that `write` made.

        Raises:
            CursorInvalid: It is not one.
        """
        try:
            at, item_id = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
            cursor = cls(at=datetime.fromisoformat(at), id=UUID(item_id))
            if cursor.at.utcoffset() is None:
                raise ValueError(at)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise CursorInvalid(f"{word[:40]!r} is not a cursor of this list.", field="cursor") from None
        return cursor


def offset_of(*, page: int, limit: int) -> int:
    """Return how many items come before a page, the first page being 1.

    Raises:
        PageTooDeep: The page begins after the first 10,000 items.
    """
    offset = (page - 1) * limit
    if offset >= PAGED_AT_MOST:
        raise PageTooDeep(f"Page {page} of {limit} is beyond the first {PAGED_AT_MOST} items.", field="page")
    return offset
