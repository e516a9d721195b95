"""The settings of every part, for `fairground settings` and for docs/reference/settings.md."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from fairground.entrypoints.settings import MODULES, Settings
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.images.settings import ImageSettings
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.settings import CurrencySettings
from fairground.platform.storage.settings import StorageSettings


def settings_classes() -> tuple[type[BaseSettings], ...]:
    """Return every class of settings: the installation's, those of modules, and those of the platform's parts."""
    of_modules = (found for name in MODULES if (found := _settings_of(name)) is not None)
    return (Settings, CurrencySettings, *of_modules, JobSettings, CacheSettings, ImageSettings, StorageSettings)


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


class SettingEntry(NamedTuple):
    name: str
    default: str
    bounds: str
    description: str


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
    return SettingEntry(name_of(settings, name), default, _bounds(field), field.description or "")


def _bounds(field: FieldInfo) -> str:
    least = next((bound.ge for bound in field.metadata if isinstance(bound, Ge)), None)
    most = next((bound.le for bound in field.metadata if isinstance(bound, Le)), None)
    return f"{least} to {most}" if least is not None and most is not None else ""


def _code(default: str) -> str:
    return default if default == "unset" else f"`{default}`"


def render_settings() -> str:
    """Return docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "Fairground reads its settings from environment variables, once, at its start. `fairground settings`",
        "prints this list; `make reference` writes it.",
        "",
        "| variable | default | bounds | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{entry.name}` | {_code(entry.default)} | {entry.bounds} | {entry.description} |"
        for entry in list_settings()
    ]
    return "\n".join(lines) + "\n"
