"""Settings of the response cache: how long responses are stored, and how much of them."""

import re
from enum import StrEnum
from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_NAMESPACE: Final = re.compile("[A-Za-z0-9_.:-]{1,64}")


class Life(StrEnum):
    """The kind of a response, which decides how long it is fresh."""

    PACKS = "packs"
    LISTS = "lists"
    DETAILS = "details"
    AVAILABILITY = "availability"
    REVIEWS = "reviews"
    PAGES = "pages"


class CacheSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_CACHE_", frozen=True)

    namespace: str = Field(
        "fairground",
        description="Prefix of every Redis key. Installations that share a Redis server need different ones.",
    )
    memory_mebibytes: int = Field(64, ge=1, le=65_536, description="Memory for cached responses, per process.")
    packs_seconds: int = Field(600, ge=1, le=86_400, description="Seconds verticals and categories stay fresh.")
    lists_seconds: int = Field(60, ge=1, le=86_400, description="Seconds lists of providers stay fresh.")
    details_seconds: int = Field(120, ge=1, le=86_400, description="Seconds a provider's page stays fresh.")
    availability_seconds: int = Field(300, ge=1, le=86_400, description="Seconds available times stay fresh.")
    reviews_seconds: int = Field(120, ge=1, le=86_400, description="Seconds reviews stay fresh.")
    pages_seconds: int = Field(300, ge=1, le=86_400, description="Seconds public pages stay fresh, here and in a CDN.")
    negative_seconds: int = Field(15, ge=1, le=300, description="Seconds a not-found response stays fresh.")
    stale_while_revalidate_seconds: int = Field(
        30,
        ge=0,
        le=3_600,
        description="Seconds a stale response is served while a new one is computed, here and by a CDN.",
    )
    stale_if_error_seconds: int = Field(
        600,
        ge=0,
        le=86_400,
        description="Seconds a stale response is served if no new one can be computed, here and by a CDN.",
    )
    wait_seconds: float = Field(
        10,
        ge=0.1,
        le=60,
        description="Seconds a request waits for a computation before it gets a 503.",
    )
    computations_max: int = Field(
        16, ge=1, le=1_000, description="Responses one process computes at once; further requests wait."
    )

    @field_validator("namespace")
    @classmethod
    def _check_namespace(cls, name: str) -> str:
        if not _NAMESPACE.fullmatch(name):
            raise ValueError("must be 1 to 64 letters of A to Z, digits, dots, colons, hyphens and underscores")
        return name

    def seconds_of(self, life: Life) -> int:
        seconds: int = getattr(self, f"{life.value}_seconds")
        return seconds

    @property
    def memory_bytes(self) -> int:
        return self.memory_mebibytes * 1024 * 1024
