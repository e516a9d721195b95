"""The base of request bodies."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A request body: unknown fields are refused, and texts are trimmed. `kernel.text` checks their characters."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def text_field(default: Any = ..., *, most: int, description: str | None = None) -> Any:
    """Describe a text whose length the domain checks, as it does for pages and imports: after it is cleaned.

    A bound of pydantic would count the text as it was sent, in which one letter may take several code points.

    Args:
        most: Code points, for the API's description.
    """
    return Field(default, description=description, json_schema_extra={"maxLength": most})
