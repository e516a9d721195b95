"""The base of request bodies."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request body: unknown fields are refused, and text is trimmed and free of control characters."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
