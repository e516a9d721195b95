"""Reads the settings from the environment, and says in one sentence what in them cannot be used."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from fairground.entrypoints.reference import CLASSES, SettingEntry, describe_field, name_of
from fairground.entrypoints.settings import Settings, SettingsError


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise explain(error) from None


def explain(error: ValidationError) -> SettingsError:
    """Say which variable is wrong, what it must be, and what it is when unset, whichever class it belongs to."""
    first = error.errors()[0]
    settings = next(entry for entry in CLASSES if entry.__name__ == error.title)
    field = _find_field(settings, first["loc"])
    if field is None:
        return SettingsError(f"{_name_variables(settings, _reason(first))}.")
    entry = describe_field(settings, field)
    is_secret = "SecretStr" in str(settings.model_fields[field].annotation)
    value = "" if is_secret else f" is {_written(first['input'])!r}"
    default = "" if entry.default == "unset" else f" for {entry.default}"
    return SettingsError(f"{entry.name}{value}; it {_demand(first, entry)}. Change it, or unset it{default}.")


def _find_field(settings: type[BaseSettings], where: tuple[int | str, ...]) -> str | None:
    """Return the field that an error lies at; it is named by itself or by its variable."""
    names = {str(part).lower() for part in where[:1]}
    return next(
        (field for field in settings.model_fields if {field, name_of(settings, field).lower()} & names),
        None,
    )


def _written(value: Any) -> str:
    """Return a value as it stands in the environment."""
    return ",".join(value) if isinstance(value, list) else str(value)


def _demand(error: ErrorDetails, entry: SettingEntry) -> str:
    if entry.bounds and error["type"].startswith(("int_", "float_", "greater_", "less_")):
        return f"must be a number from {entry.bounds}"
    return _reason(error)


def _reason(error: ErrorDetails) -> str:
    """Return pydantic's reason as the end of a sentence that begins with the variable."""
    reason = error["msg"].removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")
    return reason.rstrip(".")


def _name_variables(settings: type[BaseSettings], reason: str) -> str:
    for field in sorted(settings.model_fields, key=len, reverse=True):
        reason = reason.replace(field, name_of(settings, field))
    return reason
