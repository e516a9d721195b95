"""Settings of payments."""

from typing import Final, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairground.platform.settings import split_url

_SECRET_PREFIXES: Final = {"live": ("sk_live_", "rk_live_"), "test": ("sk_test_", "rk_test_")}
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class PaymentsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_PAYMENTS_", frozen=True, extra="ignore")

    stripe_api_key: SecretStr | None = Field(
        None, description="Secret key of a Stripe account, sk_…. Unset: the sandbox, in which no real money moves."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="Signing secret, whsec_…, of the account's webhook to /api/v1/webhooks/stripe."
    )
    stripe_publishable_key: str | None = Field(
        None,
        description="Publishable key of the same account and mode, pk_…, which browsers read: the page of payment shows"
        " Stripe's card fields. Unset: that page takes no cards, and programs pay over the API.",
    )
    stripe_test_server: str | None = Field(
        None,
        description="Address on this machine, such as http://127.0.0.1:12111, of a server that is asked in place of"
        " Stripe, by us and by browsers; for tests, with keys of the test mode.",
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

    @model_validator(mode="after")
    def _require_one_mode(self) -> Self:
        """The browser makes the card, and the server charges it: with keys of two modes every card would be unknown."""
        key = self.stripe_publishable_key
        if key is None:
            return self
        mode = next((mode for mode in _SECRET_PREFIXES if key.startswith(f"pk_{mode}_")), None)
        if mode is None:
            raise ValueError("stripe_publishable_key must begin with pk_live_ or pk_test_: everyone can read it")
        if not self._has_secret_key_of(mode):
            raise ValueError(
                f"stripe_publishable_key is of the {mode} mode, so stripe_api_key must be of it as well, sk_{mode}_…"
            )
        return self

    @model_validator(mode="after")
    def _keep_test_server_local(self) -> Self:
        if self.stripe_test_server is None:
            return self
        parts = split_url(self.stripe_test_server)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.path or parts.query:
            raise ValueError("stripe_test_server must be an address of this machine, such as http://127.0.0.1:12111")
        if not self._has_secret_key_of("test"):
            raise ValueError("stripe_test_server needs a stripe_api_key of the test mode, sk_test_…")
        return self

    @property
    def is_sandbox(self) -> bool:
        return self.stripe_api_key is None

    def _has_secret_key_of(self, mode: str) -> bool:
        shown = self.stripe_api_key.get_secret_value() if self.stripe_api_key else ""
        return shown.startswith(_SECRET_PREFIXES[mode])
