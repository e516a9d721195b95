"""Settings of media."""

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class MediaSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_MEDIA_", frozen=True)

    form_minutes: int = Field(60, ge=1, le=1440, description="Minutes an upload form is valid.")
    open_uploads: int = Field(20, ge=1, le=1_000, description="Maximum unfinished uploads per account.")
    uploads_per_hour: int = Field(
        200, ge=1, le=100_000, description="Picture uploads allowed per account; the allowance refills within an hour."
    )
    leftover_days: int = Field(
        7, ge=1, le=365, description="Days after which abandoned and refused uploads are deleted."
    )
    clamd: str = Field(
        "",
        description="host:port of ClamAV's clamd, or the path of its Unix socket. Uploads are scanned before they "
        "are accepted, and wait while clamd is down. Unset: no scanning.",
    )

    @field_validator("clamd")
    @classmethod
    def _check_clamd(cls, value: str) -> str:
        if value and not value.startswith("/"):
            read_host_and_port(value)
        return value

    @property
    def form_lifetime(self) -> timedelta:
        return timedelta(minutes=self.form_minutes)

    @property
    def leftover_lifetime(self) -> timedelta:
        return timedelta(days=self.leftover_days)


def read_host_and_port(address: str) -> tuple[str, int]:
    """Return host and port of "host:port", in which an IPv6 address has brackets, as in a URL.

    Raises:
        ValueError: It is no such address.
    """
    refused = ValueError("must be host:port with a port of 1 to 65535, [IPv6]:port, or the path of a Unix socket")
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused from None
    if not host or not port or parts.netloc != address or "@" in address:
        raise refused
    return host, port
