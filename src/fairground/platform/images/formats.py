"""The picture formats that we read and write."""

from enum import StrEnum


class PictureFormat(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    """Read only: photographs in it are five times as large as in the others."""
    WEBP = "webp"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"
