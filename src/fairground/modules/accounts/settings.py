"""Settings of accounts."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AccountsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_ACCOUNTS_", frozen=True)

    browser_idle_days: int = Field(14, ge=1, le=90, description="Days without a visit after which a sign-in ends.")
    browser_absolute_days: int = Field(90, ge=1, le=365, description="Days after which a sign-in ends in any case.")
    admin_idle_minutes: int = Field(
        30, ge=5, le=480, description="Minutes without a visit after which a sign-in of staff ends."
    )
    admin_absolute_hours: int = Field(
        12, ge=1, le=168, description="Hours after which a sign-in of staff ends in any case."
    )
    token_days: int = Field(365, ge=1, le=730, description="Days that an API token lives.")
    admin_token_days: int = Field(30, ge=1, le=365, description="Days that an API token of staff lives.")
    verification_link_hours: int = Field(
        72, ge=1, le=720, description="Hours that a mailed link which verifies an address can be used."
    )
    reset_link_minutes: int = Field(
        60, ge=10, le=1440, description="Minutes that a mailed link which sets a new password can be used."
    )
    sign_in_tries_per_account: int = Field(
        5, ge=3, le=20, description="Wrong passwords for one account from one address within any 15 minutes."
    )
    sign_in_tries_per_account_in_all: int = Field(
        100,
        ge=20,
        le=10_000,
        description="Wrong passwords for one account from all addresses at once; they come back within 24 hours.",
    )
    sign_in_tries_per_client: int = Field(
        100, ge=5, le=100_000, description="Wrong passwords from one address at once; they come back within 15 minutes."
    )
    registrations_per_client: int = Field(
        1_000, ge=1, le=100_000, description="Registrations from one address at once; they come back within an hour."
    )
    resets_per_client: int = Field(
        30, ge=1, le=100_000, description="Requests for a new password from one address at once; they come back in 1 h."
    )
    mails_per_account: int = Field(
        3,
        ge=1,
        le=20,
        description="Mails of one kind (verify, reset, change) to an account at once; they come back in 1 h.",
    )
