"""The S3 store alone: failures of the server, signatures, and what never appears in an error."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from fairground.kernel.zones import SystemClock
from fairground.platform.storage.keys import Retention, content_key, new_upload_key
from fairground.platform.storage.s3.client import S3Address, S3Client, S3Request, S3URLError
from fairground.platform.storage.s3.signing import EMPTY_SHA256, Credentials, RequestSigner
from fairground.platform.storage.s3.store import S3Store
from fairground.platform.storage.store import StorageFull, StorageRefused, StorageUnavailable
from tests.support.storage import s3_store
from tools.guardian import Server
from tools.s3 import KEY_ID, SECRET

CONTENT = b"content" * 1_000
KEY = content_key(Retention.ORIGINAL, CONTENT, content_type="image/png")
PASS = "pass"
PASS_AND_SAY_NOTHING = "pass and say nothing"
SILENT = "silent"
DROP = "drop"


@dataclass
class Front:
    """A proxy before the server: treats each connection by one of its deeds, and passes on all later ones."""

    url: str
    deeds: list[str | bytes]
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    """The heads of those that it has answered itself."""


@asynccontextmanager
async def front_of(server: Server, *deeds: str | bytes) -> AsyncIterator[Front]:
    port = httpx.URL(urlsplit(server.url).query.partition("=")[2]).port
    assert port is not None

    is_over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        deed = front.deeds.pop(0) if front.deeds else PASS
        front.connections += 1
        if deed == SILENT:
            await is_over.wait()
        elif isinstance(deed, bytes):
            front.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(deed)
            await writer.drain()
        elif deed != DROP:
            await _pass_on(reader, writer, port=port, is_answered=deed == PASS)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1")
    front = Front(f"s3://fairground?endpoint=http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", list(deeds))
    yield front
    is_over.set()
    listener.close()
    await asyncio.sleep(0)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, port: int, is_answered: bool) -> None:
    to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)

    async def forward() -> None:
        while chunk := await reader.read(65536):
            to_writer.write(chunk)

    forwarding = asyncio.ensure_future(forward())
    answer = await to_reader.read()
    forwarding.cancel()
    if is_answered:
        writer.write(answer)
        await writer.drain()
    to_writer.close()


def answer_of(status: int, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)


@asynccontextmanager
async def store_at(
    url: str, *, timeout_seconds: float = 10, secret: str = SECRET, key_id: str = KEY_ID
) -> AsyncIterator[S3Store]:
    store = S3Store(
        S3Address.from_url(url.replace("?", f"/{hashlib.sha256(url.encode()).hexdigest()}?")),
        Credentials(key_id, secret),
        clock=SystemClock(),
        timeout_seconds=timeout_seconds,
        takes_direct_uploads=True,
    )
    yield store
    await store.close()


@pytest.mark.parametrize("deeds", [[answer_of(503), answer_of(500)], [DROP, DROP], [answer_of(409)]])
async def test_passing_trouble_is_retried(s3_server: Server, deeds: Sequence[str | bytes]) -> None:
    async with front_of(s3_server, *deeds) as front, store_at(front.url) as store:
        assert await store.put(KEY, io.BytesIO(CONTENT))
        assert front.connections == len(deeds) + 1
        assert (await store.head(KEY)).size_bytes == len(CONTENT)


@pytest.mark.parametrize("deed", [answer_of(503), DROP, b"no HTTP\r\n\r\n"])
async def test_lasting_trouble_is_reported_after_three_attempts(s3_server: Server, deed: str | bytes) -> None:
    async with front_of(s3_server, *[deed] * 9) as front, store_at(front.url) as store:
        with pytest.raises(StorageUnavailable):
            await store.put(KEY, CONTENT)
        assert front.connections == 3


async def test_silent_server_is_not_retried(s3_server: Server) -> None:
    async with front_of(s3_server, *[SILENT] * 9) as front, store_at(front.url, timeout_seconds=0.2) as store:
        with pytest.raises(StorageUnavailable, match="ReadTimeout"):
            await store.head(KEY)
        assert front.connections == 1


async def test_unreachable_server_is_reported() -> None:
    async with store_at("s3://fairground?endpoint=http://127.0.0.1:1") as store:
        with pytest.raises(StorageUnavailable, match="ConnectError"):
            await store.head(KEY)


async def test_put_with_a_lost_response_is_stored(s3_server: Server) -> None:
    async with front_of(s3_server, PASS_AND_SAY_NOTHING) as front, store_at(front.url) as store:
        assert not await store.put(KEY, CONTENT), "the second try finds what the first has put"
        assert (await store.head(KEY)).size_bytes == len(CONTENT)


async def test_truncated_object_is_refused(s3_server: Server) -> None:
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this"
    async with front_of(s3_server, short) as front, store_at(front.url) as store:
        with pytest.raises(StorageUnavailable):
            async with store.read(KEY) as reading:
                assert [chunk async for chunk in reading.chunks]


async def test_unreadable_list_is_reported(s3_server: Server) -> None:
    async with front_of(s3_server, answer_of(200, b"<html>")) as front, store_at(front.url) as store:
        with pytest.raises(StorageUnavailable):
            assert [stored async for stored in store.list_objects(Retention.ORIGINAL)]


async def test_full_store_is_reported(s3_server: Server) -> None:
    body = b"<?xml version='1.0'?><Error><Code>QuotaExceeded</Code></Error>"
    async with front_of(s3_server, answer_of(507), answer_of(403, body)) as front, store_at(front.url) as store:
        for _ in range(2):
            with pytest.raises(StorageFull):
                await store.put(KEY, CONTENT)


@pytest.mark.parametrize(
    ("key_id", "secret", "code"),
    [(KEY_ID, "a wrong secret", "SignatureDoesNotMatch"), ("AKIAUNKNOWN", SECRET, "InvalidAccessKeyId")],
)
async def test_wrong_credentials_are_reported_and_not_shown(
    s3_server: Server, key_id: str, secret: str, code: str
) -> None:
    async with store_at(s3_server.url, key_id=key_id, secret=secret) as store:
        with pytest.raises(StorageRefused, match=code) as raised:
            await store.put(KEY, CONTENT)
    assert secret not in repr(raised.value.__dict__)
    assert secret not in repr(Credentials(key_id, secret))


async def test_missing_bucket_is_reported(s3_server: Server) -> None:
    async with store_at(s3_server.url.replace("fairground", "missing")) as store:
        for attempt in (store.put(KEY, CONTENT), store.delete(KEY), anext(store.list_objects(Retention.ORIGINAL))):
            with pytest.raises(StorageRefused, match="does not exist"):
                await attempt


async def test_list_of_several_pages_is_complete(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = s3_store(s3_server)
    keys = {new_upload_key(content_type="image/png") for _ in range(7)}
    await asyncio.gather(*(store.put(key, b"x") for key in keys))
    sign = S3Client._sign

    def ask_for_little(client: S3Client, unsigned: S3Request) -> httpx.Request:
        return sign(client, replace(unsigned, query={**unsigned.query, "max-keys": "3"}))

    monkeypatch.setattr(S3Client, "_sign", ask_for_little)
    assert {stored.key async for stored in store.list_objects(Retention.UPLOAD)} == keys
    await store.close()


async def test_foreign_files_are_not_listed(s3_server: Server) -> None:
    """The consoles of many servers show folders by empty objects whose names end with a slash."""
    store = s3_store(s3_server)
    await store.put(KEY, CONTENT)
    for name in ("original/", "original/Copy-of-me.png"):
        await store._client.fetch(S3Request("PUT", store._address.path_of(store._address.prefix + name)))
    assert [stored.key async for stored in store.list_objects(Retention.ORIGINAL)] == [KEY]
    await store.close()


async def test_server_without_conditional_writes_is_asked_first(s3_server: Server) -> None:
    unknown = answer_of(501, b"<Error><Code>NotImplemented</Code></Error>")
    async with front_of(s3_server, unknown) as front, store_at(front.url) as store:
        assert await store.put(KEY, CONTENT)
        assert not await store.put(KEY, CONTENT)
        assert (await store.head(KEY)).size_bytes == len(CONTENT)


async def test_contradicting_server_is_given_up_after_five_attempts(s3_server: Server) -> None:
    exists, is_gone = answer_of(412), answer_of(404, b"<Error><Code>NoSuchKey</Code></Error>")
    async with front_of(s3_server, *[exists, is_gone] * 9) as front, store_at(front.url) as store:
        with pytest.raises(StorageUnavailable):
            await store.put(KEY, CONTENT)
        assert front.connections == 10


async def test_control_without_the_condition_every_writer_wins(
    s3_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the race in the contract: without If-None-Match, no writer learns that it was second."""
    sign = S3Client._sign

    def forget_the_condition(client: S3Client, unsigned: S3Request) -> httpx.Request:
        headers = {name: value for name, value in unsigned.headers.items() if name != "if-none-match"}
        return sign(client, replace(unsigned, headers=headers))

    monkeypatch.setattr(S3Client, "_sign", forget_the_condition)
    store, key = s3_store(s3_server), new_upload_key(content_type="image/png")
    were_first = await asyncio.gather(*(store.put(key, bytes([number]) * 50_000) for number in range(12)))
    assert were_first.count(True) == 12
    await store.close()


# The examples of Amazon's own documentation ("Authenticating Requests: examples of signature calculations").
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EXAMPLE_HOST = "examplebucket.s3.amazonaws.com"
EXAMPLE_AT = datetime(2013, 5, 24, tzinfo=UTC)


def test_request_signature_equals_amazons_example() -> None:
    signer = RequestSigner(EXAMPLE, region="us-east-1")
    headers = {"host": EXAMPLE_HOST, "range": "bytes=0-9"}
    signed = signer.headers("GET", "/test.txt", query={}, headers=headers, content_sha256=EMPTY_SHA256, at=EXAMPLE_AT)
    assert signed["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_address_signature_equals_amazons_example() -> None:
    signer = RequestSigner(EXAMPLE, region="us-east-1")
    query = signer.query("GET", "/test.txt", host=EXAMPLE_HOST, lifetime=timedelta(days=1), at=EXAMPLE_AT)
    assert "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404" in query.split("&")


def test_address_without_endpoint_is_amazons() -> None:
    address = S3Address.from_url("s3://my-bucket/some/folder?region=eu-central-1")
    assert address.url_of(address.path_of(f"{address.prefix}key")) == (
        "https://s3.eu-central-1.amazonaws.com/my-bucket/some/folder/key"
    )


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://b",
        "s3://Capital",
        "s3://bucket/../other",
        "s3://bucket/with space",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?endpoint=host",
        "s3://bucket?endpoint=https://host/path",
        "s3://bucket?endpoint=https://key:hidden@host",
        "s3://key:hidden@bucket",
        "s3://bucket?secret=hidden",
        "s3://bucket?region=a/b",
        "s3://bucket#hidden",
    ],
)
def test_unusable_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(S3URLError) as raised:
        S3Address.from_url(url)
    assert "hidden" not in str(raised.value)
