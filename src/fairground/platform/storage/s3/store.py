"""The store on an S3-compatible server: Amazon's, Garage, SeaweedFS, MinIO, R2 and others."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from xml.etree import ElementTree as ET

from fairground.kernel.zones import Clock
from fairground.platform.http.cache_control import FOREVER
from fairground.platform.storage.keys import Retention, check_key, content_type_of, is_key, retention_of
from fairground.platform.storage.s3.client import (
    PreconditionFailed,
    RequestBody,
    S3Address,
    S3Client,
    S3Request,
    Unsupported,
)
from fairground.platform.storage.s3.signing import Credentials, RequestSigner
from fairground.platform.storage.signed_urls import UploadForm, UrlSigner, upload_fields, write_policy
from fairground.platform.storage.store import (
    Content,
    ObjectContent,
    ObjectNotFound,
    Span,
    StorageUnavailable,
    StoredObject,
)

_CHUNK_BYTES: Final = 256 * 1024
_PUT_ATTEMPTS: Final = 5  # each fails only if another writer puts the object and a third removes it
_ANY_NAMESPACE: Final = "{*}"  # servers differ
_CACHE_CONTROL: Final = {
    Retention.DERIVATIVE: FOREVER,
    Retention.ORIGINAL: "private, max-age=0",
    Retention.UPLOAD: "private, max-age=0",
}


@dataclass(frozen=True, slots=True)
class _ListedObject:
    name: str
    size_bytes: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class _ListPage:
    objects: list[_ListedObject]
    next_token: str
    """Empty on the last page."""


class S3Store:
    def __init__(
        self,
        address: S3Address,
        credentials: Credentials,
        *,
        clock: Clock,
        timeout_seconds: float,
        takes_direct_uploads: bool,
    ) -> None:
        self._address = address
        self._clock = clock
        self._takes_direct_uploads = takes_direct_uploads
        self.upload_origin: str | None = address.url_of("") if takes_direct_uploads else None
        self._takes_conditions = True
        self._request_signer = RequestSigner(credentials, region=address.region)
        self._client = S3Client(address, credentials, timeout_seconds=timeout_seconds, clock=clock)
        # Every process of the installation has these credentials, and no other program.
        secret = hmac.digest(credentials.secret.encode(), b"fairground gate", hashlib.sha256)
        self.signer = UrlSigner(lambda: secret, clock=clock)

    async def put(self, key: str, content: Content) -> bool:
        body = await RequestBody.measure(content)
        for _ in range(_PUT_ATTEMPTS):
            try:
                await self._put_if_absent(key, body)
            except PreconditionFailed:
                if await self._touch(key):
                    return False
            else:
                return True
        raise StorageUnavailable("The object store lost an object between two requests.")

    @asynccontextmanager
    async def read(self, key: str, *, span: Span | None = None) -> AsyncIterator[ObjectContent]:
        headers = {"range": _range_of(span)} if span else {}
        async with self._client.stream(S3Request("GET", self._path_of(key), headers=headers)) as response:
            if span and response.status_code != HTTPStatus.PARTIAL_CONTENT:
                raise StorageUnavailable("The object store returned more than the requested part.")
            size_bytes = int(response.headers["content-length"])
            yield ObjectContent(size_bytes=size_bytes, chunks=response.aiter_raw(_CHUNK_BYTES))

    async def head(self, key: str) -> StoredObject:
        async with self._client.stream(S3Request("HEAD", self._path_of(key))) as response:
            return StoredObject(
                key=key,
                size_bytes=int(response.headers["content-length"]),
                stored_at=parsedate_to_datetime(response.headers["last-modified"]),
            )

    async def delete(self, key: str) -> None:
        try:
            await self._client.fetch(S3Request("DELETE", self._path_of(key)))
        except ObjectNotFound:
            return

    async def discard(self, key: str, *, stored_before: datetime) -> bool:
        # The time is read again, because a list may be long; a race of one round trip remains.
        try:
            found = await self.head(key)
        except ObjectNotFound:
            return False
        if found.stored_at >= stored_before:
            return False
        await self.delete(key)
        return True

    async def list_objects(self, retention: Retention) -> AsyncIterator[StoredObject]:
        query = {"list-type": "2", "prefix": f"{self._address.prefix}{retention}/"}
        while True:
            page = _read_page(await self._client.fetch(S3Request("GET", self._address.bucket_path, query=query)))
            for each in page.objects:
                key = each.name.removeprefix(self._address.prefix)
                if is_key(key):
                    yield StoredObject(key=key, size_bytes=each.size_bytes, stored_at=each.stored_at)
            if not page.next_token:
                return
            query["continuation-token"] = page.next_token

    async def drop_unfinished(self, *, begun_before: datetime) -> int:  # noqa: ARG002 - a server keeps no unfinished objects
        return 0

    def sign_read(self, key: str, *, lifetime: timedelta) -> str:
        self.signer.expiry(lifetime)
        path = self._path_of(key)
        query = self._request_signer.query(
            "GET", path, host=self._address.host, lifetime=lifetime, at=self._clock.now()
        )
        return self._address.url_of(f"{path}?{query}")

    def offer_upload(self, key: str, *, max_bytes: int, lifetime: timedelta) -> UploadForm:
        if not self._takes_direct_uploads:
            return self.signer.offer_upload(key, max_bytes=max_bytes, lifetime=lifetime)
        now, expires_at = self._clock.now(), self.signer.expiry(lifetime)
        fields = {**upload_fields(key), "key": self._address.prefix + key, **self._request_signer.form_fields(now)}
        named = {"bucket": self._address.bucket, **fields}
        policy = write_policy(named, max_bytes=max_bytes, expires_at=expires_at)
        signed = {**fields, "policy": policy, "x-amz-signature": self._request_signer.sign(policy, at=now)}
        url = self._address.url_of(self._address.bucket_path)
        return UploadForm(url=url, fields=signed, key=key, max_bytes=max_bytes, expires_at=expires_at)

    async def close(self) -> None:
        await self._client.close()

    def _path_of(self, key: str) -> str:
        return self._address.path_of(self._address.prefix + check_key(key))

    async def _put_if_absent(self, key: str, body: RequestBody) -> None:
        """Put an object.

        Raises:
            PreconditionFailed: There is one.
        """
        path, headers = self._path_of(key), _headers_of(key)
        if self._takes_conditions:
            try:
                await self._client.fetch(S3Request("PUT", path, headers={**headers, "if-none-match": "*"}, body=body))
            except Unsupported:
                self._takes_conditions = False
            else:
                return
        # For servers such as Backblaze B2. Two writers that look at the same moment both put, mostly the same content.
        if await self._exists(key):
            raise PreconditionFailed
        await self._client.fetch(S3Request("PUT", path, headers=headers, body=body))

    async def _exists(self, key: str) -> bool:
        try:
            await self.head(key)
        except ObjectNotFound:
            return False
        return True

    async def _touch(self, key: str) -> bool:
        """Make an object count as stored just now, by a copy onto itself. Return False if it is gone."""
        headers = {
            **_headers_of(key),
            "x-amz-copy-source": self._path_of(key),
            "x-amz-metadata-directive": "REPLACE",
        }
        try:
            answer = await self._client.fetch(S3Request("PUT", self._path_of(key), headers=headers))
        except ObjectNotFound:
            return False
        if b"<Error>" in answer:  # servers begin to answer 200 before they know
            raise StorageUnavailable("The object store could not copy an object.")
        return True


def _headers_of(key: str) -> dict[str, str]:
    return {"content-type": content_type_of(key), "cache-control": _CACHE_CONTROL[retention_of(key)]}


def _range_of(span: Span) -> str:
    return f"bytes={span.first}-{'' if span.last is None else span.last}"


def _read_page(text: bytes) -> _ListPage:
    """Read a ListBucketResult.

    Raises:
        StorageUnavailable: It is something else.
    """
    try:
        # From the operator's own server; expat itself bounds what entities may grow to.
        root = ET.fromstring(text)  # noqa: S314 - see above
        objects = [_read_object(each) for each in root.iterfind(f"{_ANY_NAMESPACE}Contents")]
    except (ET.ParseError, ValueError) as error:
        raise StorageUnavailable("The object store returned an unreadable list.") from error
    return _ListPage(objects, next_token=root.findtext(f"{_ANY_NAMESPACE}NextContinuationToken") or "")


def _read_object(element: ET.Element) -> _ListedObject:
    name, size, modified = (element.findtext(f"{_ANY_NAMESPACE}{tag}") or "" for tag in ("Key", "Size", "LastModified"))
    return _ListedObject(name, int(size), datetime.fromisoformat(modified))
