"""The environment variables that are read: all settings of all parts, their values, and what is wrong with one.

`fairground settings` and docs/reference/settings.md list them.
"""

import os
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from fairground.entrypoints.settings import MODULES, Settings, SettingsError
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.http.outbound.client import OutboundSettings
from fairground.platform.images.settings import ImageSettings
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.settings import CurrencySettings
from fairground.platform.storage.settings import StorageSettings

_PREFIX: Final = "FAIRGROUND_"
_OF_TESTS: Final = ("FAIRGROUND_TEST_", "FAIRGROUND_PROOF_")
# Kubernetes puts the address of each service into every container of its namespace; one called fairground, or
# fairground-web, has our prefix (kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_OF_KUBERNETES: Final = re.compile(
    r"FAIRGROUND_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
RETIRED: Final = frozenset({"FAIRGROUND_CATALOG_CURRENCY"})  # names that are still read
_EXAMPLE_WIDTH: Final = 110  # characters of a line in .env.example
_SHOWN_MAX: Final = 60  # characters of a value in a message
_KUBERNETES_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://")


class SettingEntry(NamedTuple):
    name: str
    default: str
    bounds: str
    description: str


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used, or no setting has its name.
    """
    for refusal in find_unknown_settings():
        raise SettingsError(refusal)
    return read_settings()


def read_settings() -> Settings:
    """Do the same with names that no setting has: a running installation does not stop for them."""
    try:
        return Settings()
    except ValidationError as error:
        raise explain(error) from None


def find_unknown_settings() -> Iterator[str]:
    """Yield a sentence for each variable that has our prefix and is no setting, with the nearest name."""
    return _find_unknown(os.environ)  # noqa: TID251 - for names that are no setting of any class


def _find_unknown(environment: Mapping[str, str]) -> Iterator[str]:
    known = {entry.name for entry in list_settings()}
    for variable, value in sorted(environment.items()):
        name = variable.upper()
        if not name.startswith(_PREFIX) or name in known | RETIRED or name.startswith(_OF_TESTS):
            continue
        if _OF_KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and _KUBERNETES_ADDRESS.match(value)):
            continue
        nearest = get_close_matches(name, known, n=1)
        advice = f"Did you mean {nearest[0]}?" if nearest else "Unset it."
        yield f"Unknown setting {variable}. {advice} See: fairground settings"


def explain(error: ValidationError) -> SettingsError:
    """Say which variable is wrong, what it must be, and what it is when unset. Its class may be that of any part."""
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
    """Return the field that an error is about; the error has its name or its variable."""
    names = {str(part).lower() for part in where[:1]}
    return next(
        (field for field in settings.model_fields if {field, name_of(settings, field).lower()} & names),
        None,
    )


def _written(value: Any) -> str:
    """Return a value as the environment has it, at most so long that the sentence around it can be read."""
    text = ",".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _demand(error: ErrorDetails, entry: SettingEntry) -> str:
    kind = error["type"]
    if kind.startswith("bool_"):
        return "must be true or false"
    if kind == "enum":
        choices = error["ctx"]["expected"].replace("'", "")
        is_list = len(error["loc"]) > 1
        return f"must be {_as_several(choices)}" if is_list else f"must be {choices}"
    if entry.bounds and kind == "int_parsing":
        return f"must be a whole number from {entry.bounds}"
    if entry.bounds and kind.startswith(("int_", "float_", "greater_", "less_", "finite_")):
        return f"must be a number from {entry.bounds}"
    return _reason(error)


def _as_several(choices: str) -> str:
    return f"one or more of {choices.replace(' or ', ' and ')}, with commas between them"


def _reason(error: ErrorDetails) -> str:
    """Return pydantic's reason as the end of a sentence that begins with the variable."""
    reason = error["msg"].removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")
    return reason.rstrip(".")


def _name_variables(settings: type[BaseSettings], reason: str) -> str:
    for field in sorted(settings.model_fields, key=len, reverse=True):
        reason = reason.replace(field, name_of(settings, field))
    return reason


def settings_classes() -> tuple[type[BaseSettings], ...]:
    """Return every class of settings: the installation's, those of modules, and those of the platform's parts."""
    of_modules = (found for name in MODULES if (found := _settings_of(name)) is not None)
    of_platform = (JobSettings, CacheSettings, ImageSettings, StorageSettings, OutboundSettings)
    return (Settings, CurrencySettings, *of_modules, *of_platform)


def _settings_of(module: str) -> type[BaseSettings] | None:
    """Return the class that a module's settings.py defines; None for a module without one."""
    name = f"{module}.settings"
    if find_spec(name) is None:
        return None
    defined = vars(import_module(name)).values()
    return next(
        each
        for each in defined
        if isinstance(each, type) and issubclass(each, BaseSettings) and each.__module__ == name
    )


def list_settings() -> Iterator[SettingEntry]:
    for settings in settings_classes():
        for field in settings.model_fields:
            yield describe_field(settings, field)


def name_of(settings: type[BaseSettings], field: str) -> str:
    """Return the environment variable of a field."""
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def describe_field(settings: type[BaseSettings], name: str) -> SettingEntry:
    field = settings.model_fields[name]
    is_unset = field.default in (None, "", ...) or field.default_factory is not None
    default = "unset" if is_unset else str(field.default)
    if isinstance(field.default, bool):
        default = default.lower()  # as the environment writes it
    return SettingEntry(name_of(settings, name), default, _bounds(field), field.description or "")


def _bounds(field: FieldInfo) -> str:
    least = next((bound.ge for bound in field.metadata if isinstance(bound, Ge)), None)
    most = next((bound.le for bound in field.metadata if isinstance(bound, Le)), None)
    return f"{least} to {most}" if least is not None and most is not None else ""


def _as_code(default: str) -> str:
    return default if default == "unset" else f"`{default}`"


def render_example() -> str:
    """Return .env.example: every setting with its meaning, commented out, so that a copy changes nothing."""
    lines = [
        "# Copy this file to .env, uncomment what you want to change, and start with:",
        "#   set -a; . ./.env; set +a; fairground up",
        "# docs/reference/settings.md has the bounds; `make reference` writes both files.",
    ]
    for entry in list_settings():
        lines += ["", *(f"# {line}" for line in textwrap.wrap(entry.description, width=_EXAMPLE_WIDTH))]
        lines.append(f"#{entry.name}={'' if entry.default == 'unset' else shlex.quote(entry.default)}")
    return "\n".join(lines) + "\n"


def render_settings() -> str:
    """Return docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "Fairground reads its settings from environment variables when it starts. `fairground settings`",
        "prints this list; `make reference` writes it.",
        "",
        "| variable | default | bounds | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{entry.name}` | {_as_code(entry.default)} | {entry.bounds} | {entry.description} |"
        for entry in list_settings()
    ]
    return "\n".join(lines) + "\n"
