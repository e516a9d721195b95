"""Settings of images: the limits of their rendering."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ImageSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_IMAGES_", frozen=True)

    upload_mebibytes: int = Field(20, ge=1, le=100, description="The largest file that is taken as a picture.")
    renderers: int = Field(
        2, ge=1, le=64, description="Child processes that render pictures for one process; each keeps a core busy."
    )
    queue_max: int = Field(
        64, ge=1, le=10_000, description="Pictures that wait to be rendered; who asks for one more gets a 503."
    )
    memory_mebibytes: int = Field(
        1024, ge=192, le=16_384, description="Address space that one child process may use; a bomb ends there."
    )
    cpu_seconds: int = Field(10, ge=1, le=300, description="CPU time that one picture may take.")
    wall_seconds: float = Field(20, ge=1, le=600, description="Time that one picture may take.")
    renders_max: int = Field(
        2_000, ge=1, le=1_000_000, description="Pictures after which a child process is replaced by a new one."
    )
    resident_mebibytes: int = Field(
        256, ge=32, le=16_384, description="Memory at which a child process is replaced after its picture."
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
