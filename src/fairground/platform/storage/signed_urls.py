"""Signed URLs and upload forms: each gives access to one object for a limited time.

A form carries a policy, in the format that S3 reads, which names the one file that the form admits.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from fairground.kernel.errors import Conflict, Forbidden, Invalid
from fairground.kernel.zones import Clock
from fairground.platform.storage.keys import Retention, check_key, content_type_of, retention_of

MEDIA_PATH: Final = "/media"
UPLOAD_PATH: Final = "/media/uploads"
LIFETIME_MOST: Final = timedelta(days=7)  # what S3 allows
_SIGNATURE_FIELD: Final = "signature"
_RANGE: Final = "content-length-range"


class LinkInvalid(Forbidden):
    """The URL was not signed by this server, or was changed."""

    code = "storage.link_invalid"
    hint = "Request a new URL and use it unchanged."


class LinkExpired(Forbidden):
    code = "storage.link_expired"
    hint = "Request a new URL."


class UploadRefused(Invalid):
    """The request is not what the form admits."""

    code = "storage.upload_refused"
    hint = "Request a new upload form and send its fields unchanged, followed by the file as `file`."


class UploadTooLarge(Invalid):
    """`context["max_bytes"]` holds what is allowed."""

    code = "storage.upload_too_large"
    hint = "Send a smaller file."


class UploadTaken(Conflict):
    """Each form uploads one file."""

    code = "storage.upload_taken"
    hint = "Request a new upload form."


class UploadMissing(Conflict):
    code = "storage.upload_missing"
    hint = "Upload the file first."


def public_url(key: str, *, cdn_url: str) -> str:
    """Return the permanent URL of a public object: at the CDN where there is one, else at this server.

    Raises:
        ValueError: The object is private.
    """
    if retention_of(key) is not Retention.DERIVATIVE:
        raise ValueError(f"{key} is private.")
    return f"{cdn_url or MEDIA_PATH}/{key}"


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form that its holder may send once, before it expires: its fields, and after them the file as `file`."""

    url: str
    """The target of the form, a multipart/form-data. It begins with a slash when it is at this server."""
    fields: Mapping[str, str]
    key: str
    max_bytes: int
    expires_at: datetime


def upload_fields(key: str) -> dict[str, str]:
    """Return the fields that every upload form has.

    Raises:
        ValueError: The key is not in quarantine, so an unchecked file would be trusted.
    """
    if retention_of(key) is not Retention.UPLOAD:
        raise ValueError(f"{key} is not an upload.")
    return {"key": key, "Content-Type": content_type_of(key)}


def write_policy(fields: Mapping[str, str], *, max_bytes: int, expires_at: datetime) -> str:
    """Return a policy in base64 that admits these fields as they are and a file of 1 to `max_bytes` bytes."""
    conditions = [*({name: value} for name, value in fields.items()), [_RANGE, 1, max_bytes]]
    document = {"expiration": f"{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "conditions": conditions}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def evaluate_policy(policy: str, fields: Mapping[str, str], *, now: datetime) -> int:
    """Return how many bytes the file of a form with these fields may have, by a policy of ours.

    Args:
        policy: From `write_policy`; the caller has checked its signature.
        fields: All fields of the form but policy and signature.

    Raises:
        UploadRefused: It has expired, or was written for another form.
    """
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
        expires_at = datetime.fromisoformat(document["expiration"])
        [[_, _, max_bytes]] = [each for each in document["conditions"] if isinstance(each, list)]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise UploadRefused("The policy is not valid.") from error
    if now >= expires_at:
        raise UploadRefused("The form has expired.")
    admitted = {key: value for each in document["conditions"] if isinstance(each, dict) for key, value in each.items()}
    if fields != admitted:
        wrong = sorted(name for name in admitted.keys() | fields.keys() if admitted.get(name) != fields.get(name))
        raise UploadRefused(f"The form does not allow changes to {', '.join(wrong)[:200]}.")
    return int(max_bytes)


def too_large(max_bytes: int) -> UploadTooLarge:
    return UploadTooLarge(f"The file is larger than {max_bytes} bytes.", max_bytes=max_bytes)


class UrlSigner:
    def __init__(self, read_secret: Callable[[], bytes], *, clock: Clock) -> None:
        """Read the secret when it is first needed; all processes must have the same one."""
        self._read_secret = read_secret
        self._clock = clock

    def sign_read(self, key: str, *, lifetime: timedelta) -> str:
        expires = str(int(self.expiry(lifetime).timestamp()))
        signature = self._sign("read", check_key(key), expires)
        return f"{MEDIA_PATH}/{key}?expires={expires}&signature={signature}"

    def check_read(self, key: str, *, expires: str, signature: str) -> int:
        """Return for how many seconds more the object may be read.

        Raises:
            LinkInvalid: This server has not signed the URL.
            LinkExpired: It has, and the lifetime is over.
        """
        if not self._is_signed(signature, "read", key, expires):
            raise LinkInvalid("This URL was not signed by this server.")
        seconds = int(expires) - int(self._clock.now().timestamp())
        if seconds <= 0:
            raise LinkExpired("This URL has expired.")
        return seconds

    def offer_upload(self, key: str, *, max_bytes: int, lifetime: timedelta) -> UploadForm:
        fields, expires_at = upload_fields(key), self.expiry(lifetime)
        policy = write_policy(fields, max_bytes=max_bytes, expires_at=expires_at)
        signed = {**fields, "policy": policy, _SIGNATURE_FIELD: self._sign("upload", policy)}
        return UploadForm(url=UPLOAD_PATH, fields=signed, key=key, max_bytes=max_bytes, expires_at=expires_at)

    def check_upload(self, fields: Mapping[str, str]) -> int:
        """Return how many bytes the file of a form with these fields may have.

        Raises:
            UploadRefused: It is not a form of ours, was changed, or has expired.
        """
        rest = dict(fields)
        policy, signature = rest.pop("policy", ""), rest.pop(_SIGNATURE_FIELD, "")
        if not self._is_signed(signature, "upload", policy):
            raise UploadRefused("The form was not signed by this server.")
        return evaluate_policy(policy, rest, now=self._clock.now())

    def expiry(self, lifetime: timedelta) -> datetime:
        """Return the end of a lifetime that begins now.

        Raises:
            ValueError: It is not from a second to seven days.
        """
        if not timedelta(seconds=1) <= lifetime <= LIFETIME_MOST:
            raise ValueError(f"A lifetime of {lifetime} is not from a second to seven days.")
        return self._clock.now() + lifetime

    @cached_property
    def _secret(self) -> bytes:
        return self._read_secret()

    def _sign(self, *words: str) -> str:
        digest = hmac.digest(self._secret, "\n".join(words).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _is_signed(self, signature: str, *words: str) -> bool:
        return hmac.compare_digest(signature.encode(), self._sign(*words).encode())
