"""Reads each class of settings once, so that a program has one set of values; what classes of settings share."""

from typing import TypeVar, cast
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairground.kernel.money import CURRENCIES, chargeable_currencies

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


def split_url(url: str) -> SplitResult:
    """Split an address. One that cannot be split has neither scheme nor host."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


class CurrencySettings(BaseSettings):
    """The one currency of the installation."""

    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_", frozen=True, extra="ignore", populate_by_name=True)

    currency: str = Field(
        default="EUR",
        # The second name is from before 0.1.0.
        validation_alias=AliasChoices("FAIRGROUND_CURRENCY", "FAIRGROUND_CATALOG_CURRENCY"),
        description="Currency of all prices: an ISO 4217 code in capitals, supported by the card processor. EUR if "
        "unset.",
    )

    @field_validator("currency")
    @classmethod
    def _require_chargeable(cls, code: str) -> str:
        known = CURRENCIES.get(code)
        if known is None or not known.is_chargeable:
            offered = ", ".join(currency.code for currency in chargeable_currencies())
            what = "one of" if known is None else "a currency that the card processor takes, which are"
            raise ValueError(f"must be {what} {offered}")
        return code
