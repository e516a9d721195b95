"""Settings of accounts."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AccountsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_ACCOUNTS_", frozen=True)

    browser_idle_days: int = Field(14, ge=1, le=90, description="Days of inactivity after which a user is signed out.")
    browser_absolute_days: int = Field(90, ge=1, le=365, description="Days after which a user must sign in again.")
    admin_idle_minutes: int = Field(
        30, ge=5, le=480, description="Minutes of inactivity after which staff are signed out."
    )
    admin_absolute_hours: int = Field(12, ge=1, le=168, description="Hours after which staff must sign in again.")
    token_days: int = Field(365, ge=1, le=730, description="Days an API token is valid.")
    admin_token_days: int = Field(30, ge=1, le=365, description="Days an API token of staff is valid.")
    verification_link_hours: int = Field(
        72, ge=1, le=720, description="Hours a link to confirm an email address is valid."
    )
    reset_link_minutes: int = Field(60, ge=10, le=1440, description="Minutes a password reset link is valid.")
    sign_in_tries_per_account: int = Field(
        5, ge=3, le=20, description="Wrong passwords allowed per account and client within 15 minutes."
    )
    sign_in_tries_per_account_in_all: int = Field(
        100,
        ge=20,
        le=10_000,
        description="Wrong passwords allowed per account, from all clients; the allowance refills within 24 hours.",
    )
    sign_in_tries_per_client: int = Field(
        100,
        ge=5,
        le=100_000,
        description="Wrong passwords allowed per client; the allowance refills within 15 minutes.",
    )
    registrations_per_client: int = Field(
        1_000, ge=1, le=100_000, description="Sign-ups allowed per client; the allowance refills within an hour."
    )
    resets_per_client: int = Field(
        30, ge=1, le=100_000, description="Password resets allowed per client; the allowance refills within an hour."
    )
    mails_per_account: int = Field(
        3,
        ge=1,
        le=20,
        description="Emails of one kind (confirm, reset, change) per account; the allowance refills within an hour.",
    )
