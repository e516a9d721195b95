"""The picture formats that are read and written, and `data:` URLs."""

import binascii
from base64 import b64decode, b64encode
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_to_bytes

DATA_URL_SCHEME: Final = "data:"


class PictureFormat(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    """Read only: photographs in it are five times as large as in the others."""
    WEBP = "webp"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"


def encode_data_url(content: bytes, *, media_type: str) -> str:
    return f"{DATA_URL_SCHEME}{media_type};base64,{b64encode(content).decode()}"


def decode_data_url(url: str) -> bytes:
    """Return the file in a `data:` URL.

    An unreadable URL is returned unchanged, encoded: `admission.read_head` then refuses it like any other file.
    """
    head, comma, body = url.partition(",")
    if not comma:
        return url.encode()
    if not head.lower().endswith(";base64"):
        return unquote_to_bytes(body)
    written = b"".join(unquote_to_bytes(body).split())
    try:
        # Some programs leave out the padding of the last group.
        return b64decode(written + b"=" * (-len(written) % 4), validate=True) or url.encode()
    except binascii.Error:
        return url.encode()
