"""The store on any server that speaks S3: Amazon's, Garage, SeaweedFS, MinIO, R2 and the like."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from fairground.kernel.clock import Clock
from fairground.platform.http.cache_control import FOREVER
from fairground.platform.storage.gate import Gate
from fairground.platform.storage.keys import Retention, check_key, content_type_of, is_key, retention_of
from fairground.platform.storage.policy import UploadForm, upload_fields, write_policy
from fairground.platform.storage.s3.address import Credentials, S3Address
from fairground.platform.storage.s3.bodies import Body, body_of
from fairground.platform.storage.s3.calls import Call, PreconditionFailed, S3Calls, Unsupported
from fairground.platform.storage.s3.listing import read_page
from fairground.platform.storage.s3.signing import RequestSigner
from fairground.platform.storage.store import (
    Content,
    ObjectNotFound,
    Reading,
    Span,
    StorageUnavailable,
    StoredObject,
)

_CHUNK_BYTES: Final = 256 * 1024
_PUT_ATTEMPTS: Final = 5  # each time somebody else must have put it, and somebody else removed it
_CACHE_CONTROL: Final = {
    Retention.DERIVATIVE: FOREVER,
    Retention.ORIGINAL: "private, max-age=0",
    Retention.UPLOAD: "private, max-age=0",
}


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
        self._signer = RequestSigner(credentials, region=address.region)
        self._calls = S3Calls(address, credentials, timeout_seconds=timeout_seconds, clock=clock)
        # Every process has these credentials, and nobody else.
        secret = hmac.digest(credentials.secret.encode(), b"fairground gate", hashlib.sha256)
        self.gate = Gate(lambda: secret, clock=clock)

    async def put(self, key: str, content: Content) -> bool:
        body = await body_of(content)
        for _ in range(_PUT_ATTEMPTS):
            try:
                await self._put_where_nothing_is(key, body)
            except PreconditionFailed:
                if await self._renew(key):
                    return False
            else:
                return True
        raise StorageUnavailable("The object store finds an object when it is put, and does not when it is renewed.")

    @asynccontextmanager
    async def read(self, key: str, *, span: Span | None = None) -> AsyncIterator[Reading]:
        headers = {"range": _range_of(span)} if span else {}
        async with self._calls.answer(Call("GET", self._path_of(key), headers=headers)) as response:
            if span and response.status_code != HTTPStatus.PARTIAL_CONTENT:
                raise StorageUnavailable("The object store gave more than the part that was asked for.")
            size_bytes = int(response.headers["content-length"])
            yield Reading(size_bytes=size_bytes, chunks=response.aiter_raw(_CHUNK_BYTES))

    async def head(self, key: str) -> StoredObject:
        async with self._calls.answer(Call("HEAD", self._path_of(key))) as response:
            return StoredObject(
                key=key,
                size_bytes=int(response.headers["content-length"]),
                stored_at=parsedate_to_datetime(response.headers["last-modified"]),
            )

    async def delete(self, key: str) -> None:
        try:
            await self._calls.text(Call("DELETE", self._path_of(key)))
        except ObjectNotFound:
            return

    async def discard(self, key: str, *, stored_before: datetime) -> bool:
        # Asked again, because a list may be long: what is left to chance is one exchange with the server.
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
            page = read_page(await self._calls.text(Call("GET", self._address.bucket_path, query=query)))
            for each in page.objects:
                key = each.name.removeprefix(self._address.prefix)
                if is_key(key):
                    yield StoredObject(key=key, size_bytes=each.size_bytes, stored_at=each.stored_at)
            if not page.next_token:
                return
            query["continuation-token"] = page.next_token

    async def drop_unfinished(self, *, begun_before: datetime) -> int:  # noqa: ARG002 - a server keeps no halves
        return 0

    def sign_read(self, key: str, *, lifetime: timedelta) -> str:
        self.gate.expiry(lifetime)
        path = self._path_of(key)
        query = self._signer.query("GET", path, host=self._address.host, lifetime=lifetime, at=self._clock.now())
        return self._address.url_of(f"{path}?{query}")

    def offer_upload(self, key: str, *, max_bytes: int, lifetime: timedelta) -> UploadForm:
        if not self._takes_direct_uploads:
            return self.gate.offer_upload(key, max_bytes=max_bytes, lifetime=lifetime)
        now, expires_at = self._clock.now(), self.gate.expiry(lifetime)
        fields = {**upload_fields(key), "key": self._address.prefix + key, **self._signer.form_fields(now)}
        named = {"bucket": self._address.bucket, **fields}
        policy = write_policy(named, max_bytes=max_bytes, expires_at=expires_at)
        signed = {**fields, "policy": policy, "x-amz-signature": self._signer.sign(policy, at=now)}
        url = self._address.url_of(self._address.bucket_path)
        return UploadForm(url=url, fields=signed, key=key, max_bytes=max_bytes, expires_at=expires_at)

    async def close(self) -> None:
        await self._calls.close()

    def _path_of(self, key: str) -> str:
        return self._address.path_of(self._address.prefix + check_key(key))

    async def _put_where_nothing_is(self, key: str, body: Body) -> None:
        """Put an object.

        Raises:
            PreconditionFailed: There is one.
        """
        path, headers = self._path_of(key), _headers_of(key)
        if self._takes_conditions:
            try:
                await self._calls.text(Call("PUT", path, headers={**headers, "if-none-match": "*"}, body=body))
            except Unsupported:
                self._takes_conditions = False
            else:
                return
        # Backblaze B2 is such a server. Two who look at the same moment both put, and mostly the same.
        if await self._is_there(key):
            raise PreconditionFailed
        await self._calls.text(Call("PUT", path, headers=headers, body=body))

    async def _is_there(self, key: str) -> bool:
        try:
            await self.head(key)
        except ObjectNotFound:
            return False
        return True

    async def _renew(self, key: str) -> bool:
        """Let an object count as stored just now, by a copy onto itself. Return False if it is gone."""
        headers = {
            **_headers_of(key),
            "x-amz-copy-source": self._path_of(key),
            "x-amz-metadata-directive": "REPLACE",
        }
        try:
            told = await self._calls.text(Call("PUT", self._path_of(key), headers=headers))
        except ObjectNotFound:
            return False
        if b"<Error>" in told:  # servers begin to answer 200 before they know
            raise StorageUnavailable("The object store could not copy an object.")
        return True


def _headers_of(key: str) -> dict[str, str]:
    return {"content-type": content_type_of(key), "cache-control": _CACHE_CONTROL[retention_of(key)]}


def _range_of(span: Span) -> str:
    return f"bytes={span.first}-{'' if span.last is None else span.last}"
