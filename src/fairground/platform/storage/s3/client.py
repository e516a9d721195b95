"""Requests to an S3-compatible server: its address, signed requests, retries, and the meaning of its refusals."""

import asyncio
import hashlib
import random
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from fairground.kernel.zones import Clock
from fairground.platform.storage.s3.signing import EMPTY_SHA256, Credentials, RequestSigner, canonical_query
from fairground.platform.storage.store import (
    Content,
    ObjectNotFound,
    SpanInvalid,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)

_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.2
_CONNECTIONS: Final = 128  # each visitor who reads slowly through this server holds one
_CHUNK_BYTES: Final = 256 * 1024
_ERROR_MAX_BYTES: Final = 64 * 1024
_CODE: Final = re.compile(rb"<Code>(\w{1,64})</Code>")
# Names that match need no escaping: neither in a path, nor in a signed text, nor in XML.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9][A-Za-z0-9_-]*)*")
_REGION: Final = re.compile(r"[A-Za-z0-9-]+")
_USUAL_REGION: Final = "us-east-1"


class S3URLError(ValueError):
    """FAIRGROUND_STORAGE_URL cannot be used. The message does not repeat it, because it may contain a secret."""


@dataclass(frozen=True, slots=True)
class S3Address:
    scheme: str
    host: str
    """With its port, if it is not the usual one."""
    bucket: str
    prefix: str
    """Before every key, with a slash at its end; empty when there is none."""
    region: str

    @classmethod
    def from_url(cls, url: str) -> "S3Address":
        """Read s3://bucket/prefix?endpoint=https://host&region=name; without endpoint it is Amazon's.

        Raises:
            S3URLError: It is something else.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        region = options.pop("region", _USUAL_REGION)
        endpoint = urlsplit(options.pop("endpoint", "") or f"https://s3.{region}.amazonaws.com")
        prefix = parts.path.strip("/")
        if "@" in parts.netloc or "@" in endpoint.netloc:
            raise S3URLError("it contains a user name or password; use …_ACCESS_KEY_ID and …_SECRET_ACCESS_KEY instead")
        if options or parts.fragment:
            raise S3URLError("only endpoint and region may follow the question mark")
        if not _BUCKET.fullmatch(parts.netloc):
            raise S3URLError("its bucket name is not valid; use 3 to 63 lower-case letters, digits, dots and hyphens")
        if prefix and not _PREFIX.fullmatch(prefix):
            raise S3URLError("its prefix may only contain letters, digits, hyphens, underscores and slashes")
        if not _REGION.fullmatch(region):
            raise S3URLError("its region is not valid; write one such as eu-central-1")
        if endpoint.scheme not in {"http", "https"} or not endpoint.hostname or endpoint.path.strip("/"):
            raise S3URLError("its endpoint must be http:// or https:// with a host and no path")
        return cls(
            scheme=endpoint.scheme,
            host=_without_usual_port(endpoint.scheme, endpoint.netloc),
            bucket=parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            region=region,
        )

    @property
    def bucket_path(self) -> str:
        """The bucket as a path, which every server accepts; a bucket in the host name needs DNS entries."""
        return f"/{self.bucket}"

    def path_of(self, name: str) -> str:
        """Return the path of an object by its whole name."""
        return f"{self.bucket_path}/{name}"

    def url_of(self, path: str) -> str:
        return f"{self.scheme}://{self.host}{path}"


def _without_usual_port(scheme: str, netloc: str) -> str:
    # HTTP clients leave it out of the Host header, which is signed.
    return netloc.lower().removesuffix(":443" if scheme == "https" else ":80")


@dataclass(frozen=True, slots=True)
class RequestBody:
    """Bytes, or a file, which is read in threads and never in memory as a whole."""

    content: Content
    size_bytes: int
    sha256: str

    @classmethod
    async def measure(cls, content: Content) -> "RequestBody":
        """Return the content with its size and hash, which the server verifies."""
        return await asyncio.to_thread(_measure, content)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the content from its beginning, on every call."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        await asyncio.to_thread(self.content.seek, 0)
        while chunk := await asyncio.to_thread(self.content.read, _CHUNK_BYTES):
            yield chunk


EMPTY_BODY: Final = RequestBody(b"", 0, EMPTY_SHA256)


@dataclass(frozen=True, slots=True)
class S3Request:
    """A request before it is signed. Nothing in `path` and `query` is escaped yet."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: RequestBody = EMPTY_BODY


class PreconditionFailed(Exception):
    """There is an object under the key already."""


class Unsupported(StorageRefused):
    """The server does not support the request, or one of its headers."""


class AccessDenied(StorageRefused):
    """The key is known and has no right to this."""


class NoLifecycleRules(Exception):
    """The bucket has no lifecycle rules."""


class S3Client:
    """Sends requests to one server, over a pool of connections."""

    def __init__(self, address: S3Address, credentials: Credentials, *, timeout_seconds: float, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._signer = RequestSigner(credentials, region=address.region)
        # Only our own settings name the server, never a proxy or a password file of the environment.
        self._http = httpx.AsyncClient(
            headers={"accept-encoding": "identity"},
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
            # Loading every trusted authority takes a while, and is useless without https.
            verify=address.scheme == "https",
        )
        self._timeout_seconds = timeout_seconds

    @asynccontextmanager
    async def stream(self, request: S3Request) -> AsyncIterator[httpx.Response]:
        """Yield a successful response whose body is still to be read.

        Raises:
            ObjectNotFound, SpanInvalid, PreconditionFailed, NoLifecycleRules: As their names say.
            StorageUnavailable, StorageRefused, StorageFull: See there.
        """
        response = await self._send(request)
        try:
            yield response
        except httpx.HTTPError as error:
            raise _no_response(error) from error
        finally:
            await response.aclose()

    async def fetch(self, request: S3Request) -> bytes:
        """Return the body of a successful response."""
        async with self.stream(request) as response:
            return await response.aread()

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, request: S3Request) -> httpx.Response:
        """Send, and retry a few times while the server is in trouble; not after a silence of the whole timeout."""
        attempt, give_up_at = 1, time.monotonic() + self._timeout_seconds
        while True:
            is_last = attempt == _ATTEMPTS
            try:
                response = await self._http.send(self._sign(request), stream=True)
                if response.is_success:
                    return response
                await _raise_refusal(response)
            except httpx.HTTPError as error:
                if is_last or time.monotonic() >= give_up_at:
                    raise _no_response(error) from error
            except StorageUnavailable:
                if is_last:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spread, no secret
            attempt += 1

    def _sign(self, request: S3Request) -> httpx.Request:
        """Return the request with a new signature: one is valid for minutes only."""
        headers = self._signer.headers(
            request.method,
            request.path,
            query=request.query,
            headers={"host": self._address.host, **request.headers},
            content_sha256=request.body.sha256,
            at=self._clock.now(),
        )
        query = canonical_query(request.query)
        url = self._address.url_of(f"{request.path}?{query}" if query else request.path)
        if request.body.size_bytes:
            headers["content-length"] = str(request.body.size_bytes)
        content = request.body.chunks() if request.body.size_bytes else None
        return self._http.build_request(request.method, url, headers=headers, content=content)


def _measure(content: Content) -> RequestBody:
    if isinstance(content, bytes):
        return RequestBody(content, len(content), hashlib.sha256(content).hexdigest())
    return _measure_file(content)


def _measure_file(file: IO[bytes]) -> RequestBody:
    file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    return RequestBody(file, size_bytes, digest.hexdigest())


async def _raise_refusal(response: httpx.Response) -> None:
    """Raise the error that a refusal means. It shows only the server's code: the rest repeats the request."""
    code = await _code_of(response)
    shown = f"{response.status_code} {code}".strip()
    match response.status_code:
        case HTTPStatus.NOT_FOUND if code in {"", "NoSuchKey"}:
            raise ObjectNotFound("The file does not exist.")
        case HTTPStatus.NOT_FOUND if code == "NoSuchLifecycleConfiguration":
            raise NoLifecycleRules
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise SpanInvalid("The requested part is beyond the end of the file.")
        case HTTPStatus.PRECONDITION_FAILED:
            raise PreconditionFailed
        case HTTPStatus.NOT_IMPLEMENTED | HTTPStatus.METHOD_NOT_ALLOWED:
            raise Unsupported(f"The object store doesn't support this request ({shown}).")
        case HTTPStatus.INSUFFICIENT_STORAGE:
            raise StorageFull(f"The object store is full ({shown}).")
        # Two conditional writers met (409): the refused one sends again, and then gets a 412 or succeeds.
        case HTTPStatus.CONFLICT | 429 | 500 | 502 | 503 | 504:
            raise StorageUnavailable(f"The object store has a problem ({shown}).")
    if code in {"QuotaExceeded", "XMinioStorageFull", "StorageFull"}:
        raise StorageFull(f"The object store is full ({shown}).")
    if code == "AccessDenied":
        raise AccessDenied(f"The object store refused the request ({shown}).")
    if code == "NoSuchBucket":
        raise StorageRefused("The bucket in FAIRGROUND_STORAGE_URL does not exist.")
    raise StorageRefused(f"The object store refused the request ({shown}).")


async def _code_of(response: httpx.Response) -> str:
    try:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _ERROR_MAX_BYTES:
                break
    finally:
        await response.aclose()
    found = _CODE.search(body)
    return found[1].decode() if found else ""


def _no_response(error: httpx.HTTPError) -> StorageUnavailable:
    # Its own text may hold the address with its signature, so only its kind is shown.
    return StorageUnavailable(f"The object store sent an unexpected response ({type(error).__name__}).")
