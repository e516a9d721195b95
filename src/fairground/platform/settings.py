"""Reads settings: each class once in a process, so that a program has one set of values from its start to its end."""

from typing import TypeVar, cast

from pydantic_settings import BaseSettings

_Settings = TypeVar("_Settings", bound=BaseSettings)


class SettingsSource:
    def __init__(self) -> None:
        self._read: dict[type[BaseSettings], BaseSettings] = {}

    def of(self, kind: type[_Settings]) -> _Settings:
        """Return the settings of one class, read from the environment at the first call.

        Raises:
            ValidationError: A variable has a value that cannot be used.
        """
        if kind not in self._read:
            self._read[kind] = kind()
        return cast("_Settings", self._read[kind])
