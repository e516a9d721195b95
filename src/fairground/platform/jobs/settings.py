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
        description="Concurrent jobs of the default queue per process. Each running job may use a database connection.",
    )
    mail_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Concurrent jobs of the email queue: notifications and sending.",
    )
    money_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Concurrent jobs of the payments queue: calls to the card processor and their results.",
    )
    pictures_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Concurrent jobs of the pictures queue. FAIRGROUND_IMAGES_RENDERERS limits how many pictures are "
        "rendered at once.",
    )
    discovery_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Concurrent jobs of the queue that updates lists, search and availability summaries.",
    )
    lease_seconds: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds without a heartbeat after which another worker takes over a job.",
    )
    poll_seconds: float = Field(
        default=1,
        ge=0.05,
        le=60,
        description="Seconds between two checks for delayed jobs and jobs of other processes.",
    )
    stop_seconds: float = Field(
        default=25,
        ge=0,
        le=600,
        description="Seconds a stopping worker waits for its running jobs before it releases them.",
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
