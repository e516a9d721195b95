"""Settings of images: the limits of their rendering."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ImageSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_IMAGES_", frozen=True)

    upload_mebibytes: int = Field(20, ge=1, le=100, description="Maximum size of an uploaded picture.")
    renderers: int = Field(
        2, ge=1, le=64, description="Child processes per process that render pictures; each can use a full CPU core."
    )
    queue_max: int = Field(
        64, ge=1, le=10_000, description="Pictures that can wait to be rendered; further requests get a 503."
    )
    memory_mebibytes: int = Field(
        1024, ge=192, le=16_384, description="Address space limit of one child process, against decompression bombs."
    )
    cpu_seconds: int = Field(10, ge=1, le=300, description="CPU seconds allowed per picture.")
    wall_seconds: float = Field(20, ge=1, le=600, description="Seconds allowed per picture.")
    renders_max: int = Field(
        2_000, ge=1, le=1_000_000, description="Pictures after which a child process is restarted."
    )
    resident_mebibytes: int = Field(
        256, ge=32, le=16_384, description="Memory use at which a child process is restarted after its picture."
    )

    @property
    def upload_bytes(self) -> int:
        return self.upload_mebibytes * 1024 * 1024

    @property
    def memory_bytes(self) -> int:
        return self.memory_mebibytes * 1024 * 1024

    @property
    def resident_bytes(self) -> int:
        return self.resident_mebibytes * 1024 * 1024
