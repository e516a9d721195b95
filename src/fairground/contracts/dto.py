"""The base of what contracts hand over."""

from pydantic import BaseModel, ConfigDict


class DTO(BaseModel):
    """A value that crosses a module's border: frozen, serialisable, never a row."""

    model_config = ConfigDict(frozen=True)
