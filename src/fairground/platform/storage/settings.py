"""Settings of the object store: its place, and how long objects stay."""

from datetime import timedelta

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairground.platform.settings import split_url
from fairground.platform.storage.keys import Retention


class StorageSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_STORAGE_", frozen=True, extra="ignore")

    url: str = Field(
        "",
        description="file:folder, or s3://bucket/prefix?endpoint=https://host&region=eu-central-1 for an "
        "S3-compatible store (Amazon S3 without endpoint). Unset: media/ in the data folder.",
    )
    access_key_id: SecretStr | None = Field(None, description="Access key ID of the S3-compatible store.")
    secret_access_key: SecretStr | None = Field(None, description="Secret access key of the S3-compatible store.")
    takes_direct_uploads: bool = Field(
        True,
        description="Whether browsers upload directly to the S3-compatible store. Set to false for stores without "
        "POST uploads, such as Cloudflare R2 and Backblaze B2; files then go through this server.",
    )
    cdn_url: str = Field(
        "",
        description="Base URL at which a CDN or the bucket serves public files. Unset: this server serves them.",
    )
    timeout_seconds: float = Field(10, ge=0.1, le=60, description="Seconds to wait for the S3-compatible store.")
    upload_hours: int = Field(24, ge=1, le=720, description="Hours an upload may wait to be checked.")
    original_days: int = Field(30, ge=1, le=3650, description="Days an unused original is kept.")
    derivative_days: int = Field(7, ge=1, le=3650, description="Days an unused derivative is kept.")

    @field_validator("cdn_url")
    @classmethod
    def _check_cdn_url(cls, url: str) -> str:
        parts = split_url(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment):
            raise ValueError("must be http:// or https:// with a host, such as https://cdn.example/media")
        return url.rstrip("/")

    def grace_of(self, retention: Retention) -> timedelta:
        """Return how long an object of this kind stays that nothing refers to."""
        return {
            Retention.ORIGINAL: timedelta(days=self.original_days),
            Retention.DERIVATIVE: timedelta(days=self.derivative_days),
            Retention.UPLOAD: timedelta(hours=self.upload_hours),
        }[retention]
