"""Settings of payments."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class PaymentsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_PAYMENTS_", frozen=True, extra="ignore")

    stripe_api_key: SecretStr | None = Field(
        None, description="Secret key of a Stripe account, sk_…. Unset: the sandbox, in which no real money moves."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="Signing secret, whsec_…, of the account's webhook to /api/v1/webhooks/stripe."
    )
    request_timeout_seconds: float = Field(
        10, ge=1, le=60, description="How long to wait for the card processor before the outcome counts as unknown."
    )

    @model_validator(mode="after")
    def _require_both(self) -> Self:
        if (self.stripe_api_key is None) != (self.stripe_webhook_secret is None):
            raise ValueError(
                "stripe_api_key and stripe_webhook_secret belong together: set both for Stripe, neither for the sandbox"
            )
        return self

    @property
    def is_sandbox(self) -> bool:
        return self.stripe_api_key is None
