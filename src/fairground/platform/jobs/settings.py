"""How the worker of one process works."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairground.kernel.messages import Queue


class JobSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_JOBS_", frozen=True)

    concurrency: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Jobs of the default queue that one process runs at the same time. Each job of any queue may hold a"
        " database connection for a moment.",
    )
    mail_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="The same for the queue of emails: the notifications that they follow from, and sending them.",
    )
    money_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="The same for the queue of money: calls to the card processor and what follows from them.",
    )
    pictures_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="The same for the queue of pictures; FAIRGROUND_IMAGES_RENDERERS of them are rendered at a time.",
    )
    discovery_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="The same for the queue that keeps lists, search and availability summaries up to date.",
    )
    lease_seconds: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="How long a job waits for a heartbeat of its worker before another worker rescues it.",
    )
    poll_seconds: float = Field(
        default=1,
        ge=0.05,
        le=60,
        description="How often a worker that nothing wakes looks for jobs: delayed ones, and those of other processes.",
    )
    stop_seconds: float = Field(
        default=25,
        ge=0,
        le=600,
        description="How long a worker that has to stop waits for its running jobs before it releases them.",
    )

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def concurrency_by_queue(self) -> Mapping[Queue, int]:
        return {
            Queue.DEFAULT: self.concurrency,
            Queue.MAIL: self.mail_concurrency,
            Queue.MONEY: self.money_concurrency,
            Queue.PICTURES: self.pictures_concurrency,
            Queue.DISCOVERY: self.discovery_concurrency,
        }
