"""Settings of the catalog."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CatalogSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_CATALOG_", frozen=True)

    currency: str = Field(
        default="EUR",
        pattern="^[A-Z]{3}$",
        description="The one currency of the installation's prices, an ISO 4217 code in capitals; EUR if unset.",
    )
