"""Signatures of requests, URLs and forms for S3 (AWS Signature Version 4)."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class Credentials:
    key_id: str
    secret: str = field(repr=False)


class RequestSigner:
    """Signs for one region. Paths must hold no character that would need escaping."""

    def __init__(self, credentials: Credentials, *, region: str) -> None:
        self._credentials = credentials
        self._region = region

    def headers(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        content_sha256: str,
        at: datetime,
    ) -> dict[str, str]:
        """Return the given headers, which contain `host` and are in lower case, with those of the signature."""
        signed = {**headers, "x-amz-date": _instant(at), "x-amz-content-sha256": content_sha256}
        request = _canonical_request(method, path, query=query, headers=signed, content_sha256=content_sha256)
        authorization = (
            f"{_ALGORITHM} Credential={self.credential(at)}, SignedHeaders={';'.join(sorted(signed))},"
            f" Signature={self._sign_request(request, at)}"
        )
        return {**signed, "authorization": authorization}

    def query(self, method: str, path: str, *, host: str, lifetime: timedelta, at: datetime) -> str:
        """Return the query of a URL that is signed for one method and one lifetime."""
        query = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": self.credential(at),
            "X-Amz-Date": _instant(at),
            "X-Amz-Expires": str(int(lifetime.total_seconds())),
            "X-Amz-SignedHeaders": "host",
        }
        request = _canonical_request(method, path, query=query, headers={"host": host}, content_sha256=_UNSIGNED)
        return canonical_query({**query, "X-Amz-Signature": self._sign_request(request, at)})

    def form_fields(self, at: datetime) -> dict[str, str]:
        """Return the fields that a form needs beside policy and signature; its policy must name them."""
        return {
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": self.credential(at),
            "x-amz-date": _instant(at),
        }

    def sign(self, text: str, *, at: datetime) -> str:
        """Return the signature of a text, such as a policy."""
        key = f"AWS4{self._credentials.secret}".encode()
        for word in (*self._scope(at).split("/"), text):
            key = hmac.digest(key, word.encode(), hashlib.sha256)
        return key.hex()

    def credential(self, at: datetime) -> str:
        return f"{self._credentials.key_id}/{self._scope(at)}"

    def _scope(self, at: datetime) -> str:
        return f"{at.astimezone(UTC):%Y%m%d}/{self._region}/s3/aws4_request"

    def _sign_request(self, request: str, at: datetime) -> str:
        digest = hashlib.sha256(request.encode()).hexdigest()
        return self.sign(f"{_ALGORITHM}\n{_instant(at)}\n{self._scope(at)}\n{digest}", at=at)


def canonical_query(query: Mapping[str, str]) -> str:
    """Return the query in the canonical form, in which it is signed and must be sent."""
    return urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")


def _canonical_request(
    method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], content_sha256: str
) -> str:
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    return "\n".join((method, path, canonical_query(query), lines, ";".join(names), content_sha256))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
