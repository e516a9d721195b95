"""The keys of stored objects: what a key says of its object, and how a new one is chosen."""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7


class Retention(StrEnum):
    """The retention class: who may read an object and how long it is kept. It is the first word of the key."""

    ORIGINAL = "original"
    """An uploaded file, unchanged. Private; nothing can make it again."""
    DERIVATIVE = "derivative"
    """Made from an original, and could be made again. Public."""
    UPLOAD = "upload"
    """In quarantine until it has been checked. Private; removed after hours."""


SUFFIX_OF: Final[Mapping[str, str]] = {
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
}
_TYPE_OF: Final = {suffix: content_type for content_type, suffix in SUFFIX_OF.items()}
KEY_MAX_LENGTH: Final = 200
# No capitals, because some file systems ignore case; no segment begins with a dot, so no key leads out of the folder.
_SEGMENT: Final = "[a-z0-9][a-z0-9_-]*"
_KEY: Final = re.compile(rf"(?:{'|'.join(Retention)})(?:/{_SEGMENT}){{1,5}}\.(?:{'|'.join(_TYPE_OF)})")


class KeyInvalid(Invalid):
    code = "storage.key_invalid"
    hint = "Use a key returned by this server."


class TypeNotStored(Invalid):
    """Only pictures in the formats of the web are stored."""

    code = "storage.type_not_stored"
    hint = f"Send one of {', '.join(SUFFIX_OF)}."


def is_key(name: str) -> bool:
    return len(name) <= KEY_MAX_LENGTH and _KEY.fullmatch(name) is not None


def check_key(key: str) -> str:
    """Return the key if it is one.

    Raises:
        KeyInvalid: It is none; it might lead out of the store.
    """
    if not is_key(key):
        raise KeyInvalid("This is not a valid storage key.")
    return key


def retention_of(key: str) -> Retention:
    return Retention(check_key(key).partition("/")[0])


def content_type_of(key: str) -> str:
    return _TYPE_OF[check_key(key).rpartition(".")[2]]


def etag_of(key: str) -> str:
    """Return the strong entity tag of an object: each is written once, so its key identifies its bytes."""
    return f'"{hashlib.sha256(check_key(key).encode()).hexdigest()[:32]}"'


def content_key(retention: Retention, content: bytes, *, content_type: str) -> str:
    """Return the key that these bytes have, and no others.

    Raises:
        TypeNotStored: Such content is not stored.
    """
    return digest_key(retention, hashlib.sha256(content).hexdigest(), content_type=content_type)


def digest_key(retention: Retention, digest: str, *, content_type: str) -> str:
    """Return the key of what has this SHA-256, in hexadecimal digits.

    Raises:
        TypeNotStored: Such content is not stored.
    """
    return f"{retention}/{digest[:2]}/{digest}.{_suffix_of(content_type)}"


def new_upload_key(*, content_type: str) -> str:
    """Return a new key in quarantine.

    Raises:
        TypeNotStored: Such content is not stored.
    """
    return f"{Retention.UPLOAD}/{uuid7()}.{_suffix_of(content_type)}"


def _suffix_of(content_type: str) -> str:
    suffix = SUFFIX_OF.get(content_type)
    if suffix is None:
        raise TypeNotStored(f"Files of type {content_type[:80]!r} are not supported.")
    return suffix
