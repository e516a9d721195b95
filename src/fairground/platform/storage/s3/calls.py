"""One request to an S3-compatible server: signed, sent, repeated when that may help, and its refusal understood."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httpx

from fairground.kernel.clock import Clock
from fairground.platform.storage.s3.address import Credentials, S3Address
from fairground.platform.storage.s3.bodies import NOTHING, Body
from fairground.platform.storage.s3.signing import RequestSigner, canonical_query
from fairground.platform.storage.store import (
    ObjectNotFound,
    SpanInvalid,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)

_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.2
_CONNECTIONS: Final = 128  # each visitor who reads slowly through this server holds one
_ERROR_MAX_BYTES: Final = 64 * 1024
_CODE: Final = re.compile(rb"<Code>(\w{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `path` and `query` hold nothing that is escaped yet."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = NOTHING


class PreconditionFailed(Exception):
    """There is something under the key already."""


class Unsupported(StorageRefused):
    """The server knows no such request, or no such header."""


class AccessDenied(StorageRefused):
    """The key is known and has no right to this."""


class NoSuchConfiguration(Exception):
    """The bucket has no lifecycle rules."""


class S3Calls:
    """Speaks to one server, over connections that are kept."""

    def __init__(self, address: S3Address, credentials: Credentials, *, timeout_seconds: float, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._signer = RequestSigner(credentials, region=address.region)
        # Our own settings say where the server is: not a proxy or a password file of whoever starts us.
        self._http = httpx.AsyncClient(
            headers={"accept-encoding": "identity"},
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
            # To load every authority that is trusted takes a while, and is for nothing on a private network.
            verify=address.scheme == "https",
        )
        self._patience_seconds = timeout_seconds

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncIterator[httpx.Response]:
        """Give an answer that is no refusal, its body still to be read.

        Raises:
            ObjectNotFound, SpanInvalid, PreconditionFailed, NoSuchConfiguration: As their names say.
            StorageUnavailable, StorageRefused, StorageFull: See there.
        """
        response = await self._send(call)
        try:
            yield response
        except httpx.HTTPError as error:
            raise _silent(error) from error
        finally:
            await response.aclose()

    async def text(self, call: Call) -> bytes:
        """Return the body of an answer."""
        async with self.answer(call) as response:
            return await response.aread()

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, call: Call) -> httpx.Response:
        """Ask until there is an answer that is no passing trouble, a few times at most; once if it was silent."""
        attempt, give_up_at = 1, time.monotonic() + self._patience_seconds
        while True:
            is_last = attempt == _ATTEMPTS
            try:
                response = await self._http.send(self._request(call), stream=True)
                if response.is_success:
                    return response
                await _raise_refusal(response)
            except httpx.HTTPError as error:
                if is_last or time.monotonic() >= give_up_at:
                    raise _silent(error) from error
            except StorageUnavailable:
                if is_last:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spread, no secret
            attempt += 1

    def _request(self, call: Call) -> httpx.Request:
        """Sign anew each time: a signature is good for minutes only."""
        headers = self._signer.headers(
            call.method,
            call.path,
            query=call.query,
            headers={"host": self._address.host, **call.headers},
            content_sha256=call.body.sha256,
            at=self._clock.now(),
        )
        query = canonical_query(call.query)
        url = self._address.url_of(f"{call.path}?{query}" if query else call.path)
        if call.body.size_bytes:
            headers["content-length"] = str(call.body.size_bytes)
        content = call.body.chunks() if call.body.size_bytes else None
        return self._http.build_request(call.method, url, headers=headers, content=content)


async def _raise_refusal(response: httpx.Response) -> None:
    """Raise what a refusal means. What the server says of it stays out, but for its code: it repeats what was sent."""
    code = await _code_of(response)
    told = f"{response.status_code} {code}".strip()
    match response.status_code:
        case HTTPStatus.NOT_FOUND if code in {"", "NoSuchKey"}:
            raise ObjectNotFound("There is no such object.")
        case HTTPStatus.NOT_FOUND if code == "NoSuchLifecycleConfiguration":
            raise NoSuchConfiguration
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise SpanInvalid("The object ends before the part that was asked for.")
        case HTTPStatus.PRECONDITION_FAILED:
            raise PreconditionFailed
        case HTTPStatus.NOT_IMPLEMENTED | HTTPStatus.METHOD_NOT_ALLOWED:
            raise Unsupported(f"The object store does not know what this server asks ({told}).")
        case HTTPStatus.INSUFFICIENT_STORAGE:
            raise StorageFull(f"The object store takes no more ({told}).")
        # Two conditional writers met (409): the one that is refused asks again, and then learns who was first.
        case HTTPStatus.CONFLICT | 429 | 500 | 502 | 503 | 504:
            raise StorageUnavailable(f"The object store is in trouble ({told}).")
    if code in {"QuotaExceeded", "XMinioStorageFull", "StorageFull"}:
        raise StorageFull(f"The object store takes no more ({told}).")
    if code == "AccessDenied":
        raise AccessDenied(f"The object store does not do what this server asks ({told}).")
    if code == "NoSuchBucket":
        raise StorageRefused("The object store has no bucket of the name in FAIRGROUND_STORAGE_URL.")
    raise StorageRefused(f"The object store does not do what this server asks ({told}).")


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


def _silent(error: httpx.HTTPError) -> StorageUnavailable:
    # Its own text may hold the address with its signature, so only its kind is told.
    return StorageUnavailable(f"The object store did not answer as it should ({type(error).__name__}).")
