"""Reads the settings from the environment, and says in one sentence what in them cannot be used."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from fairground.entrypoints.reference import SettingEntry, describe_field, list_settings, name_of, settings_classes
from fairground.entrypoints.settings import Settings, SettingsError

_PREFIX: Final = "FAIRGROUND_"
_OF_TESTS: Final = ("FAIRGROUND_TEST_", "FAIRGROUND_PROOF_")
# Kubernetes puts the address of each service into every container of its namespace; one called fairground, or
# fairground-web, has our prefix (kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_OF_KUBERNETES: Final = re.compile(
    r"FAIRGROUND_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_KUBERNETES_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://")


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used, or no setting has its name.
    """
    _refuse_unknown(os.environ)  # noqa: TID251 - for names that are no setting of any class
    try:
        return Settings()
    except ValidationError as error:
        raise explain(error) from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {entry.name for entry in list_settings()}
    for variable, value in sorted(environment.items()):
        name = variable.upper()
        if not name.startswith(_PREFIX) or name in known or name.startswith(_OF_TESTS):
            continue
        if _OF_KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and _KUBERNETES_ADDRESS.match(value)):
            continue
        nearest = get_close_matches(name, known, n=1)
        advice = f"Did you mean {nearest[0]}?" if nearest else "Unset it."
        raise SettingsError(f"{variable} is set, and there is no such setting. {advice} See: fairground settings")


def explain(error: ValidationError) -> SettingsError:
    """Say which variable is wrong, what it must be, and what it is when unset, whichever class it belongs to."""
    first = error.errors()[0]
    settings = next(entry for entry in settings_classes() if entry.__name__ == error.title)
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
