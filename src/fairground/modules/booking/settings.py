"""Settings of the booking module."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BookingSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_BOOKING_", frozen=True, extra="ignore")

    hold_seconds: int = Field(600, ge=60, le=1800, description="Seconds a slot is held for payment.")
    max_live_holds: int = Field(3, ge=1, le=20, description="Maximum slots a customer can hold at once.")
    complete_after_hours: int = Field(
        12,
        ge=0,
        le=168,
        description="Hours after its end until a booking is completed automatically.",
    )
