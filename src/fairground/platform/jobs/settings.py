"""How the worker of one process works."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class JobSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_JOBS_", frozen=True)

    concurrency: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Jobs that one process runs at the same time. Each may hold a database connection for a moment.",
    )
    lease_seconds: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="How long a job waits for a sign of life of its worker before another one takes it over.",
    )
    poll_seconds: float = Field(
        default=1,
        ge=0.05,
        le=60,
        description="How often a worker looks for what nobody wakes it for: delayed jobs, messages of other processes.",
    )
    stop_seconds: float = Field(
        default=25,
        ge=0,
        le=600,
        description="How long a worker that is told to stop waits for its running jobs before it gives them back.",
    )

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)
