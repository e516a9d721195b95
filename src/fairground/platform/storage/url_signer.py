"""Signed addresses and upload forms of this server's own routes: each is for one object and limited in time."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from fairground.kernel.clock import Clock
from fairground.kernel.errors import Forbidden
from fairground.platform.storage.keys import Retention, check_key, retention_of
from fairground.platform.storage.upload_forms import (
    UploadForm,
    UploadRefused,
    evaluate_policy,
    upload_fields,
    write_policy,
)

MEDIA_PATH: Final = "/media"
UPLOAD_PATH: Final = "/media/uploads"
LIFETIME_MOST: Final = timedelta(days=7)  # what S3 allows
_SIGNATURE_FIELD: Final = "signature"


class LinkInvalid(Forbidden):
    """The address was not made by this server, or was changed."""

    code = "storage.link_invalid"
    hint = "Ask for a new address, and use it as it is."


class LinkExpired(Forbidden):
    code = "storage.link_expired"
    hint = "Ask for a new address."


def public_url(key: str, *, cdn_url: str) -> str:
    """Return the lasting address of a public object: at the CDN where there is one, else at this server.

    Raises:
        ValueError: The object is private.
    """
    if retention_of(key) is not Retention.DERIVATIVE:
        raise ValueError(f"{key} is private.")
    return f"{cdn_url or MEDIA_PATH}/{key}"


class UrlSigner:
    def __init__(self, read_secret: Callable[[], bytes], *, clock: Clock) -> None:
        """Take the secret from where it is kept, when it is first needed: all processes must have the same."""
        self._read_secret = read_secret
        self._clock = clock

    def sign_read(self, key: str, *, lifetime: timedelta) -> str:
        expires = str(int(self.expiry(lifetime).timestamp()))
        signature = self._sign("read", check_key(key), expires)
        return f"{MEDIA_PATH}/{key}?expires={expires}&signature={signature}"

    def check_read(self, key: str, *, expires: str, signature: str) -> int:
        """Return for how many seconds more the object may be read.

        Raises:
            LinkInvalid: The address is not one of ours.
            LinkExpired: It was.
        """
        if not self._is_signed(signature, "read", key, expires):
            raise LinkInvalid("This address is not signed by this server.")
        seconds = int(expires) - int(self._clock.now().timestamp())
        if seconds <= 0:
            raise LinkExpired("This address has expired.")
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
            raise UploadRefused("The form is not signed by this server.")
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
