"""Stores of the tests: a folder and a part of a bucket, each with a browser that uses it from outside."""

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
from fastapi import FastAPI

from fairground.kernel.errors import DomainError
from fairground.kernel.zones import Clock, SystemClock
from fairground.platform.http import problems
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.http import routes
from fairground.platform.storage.s3.client import S3Address
from fairground.platform.storage.s3.signing import Credentials
from fairground.platform.storage.s3.store import S3Store
from fairground.platform.storage.signed_urls import UploadForm
from fairground.platform.storage.store import Span, Store
from tools.guardian import Server
from tools.s3 import KEY_ID, SECRET

HERE = "http://127.0.0.1:8000"


class MovedClock:
    """Shows another time than it is."""

    def __init__(self, *, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead


@dataclass(frozen=True)
class StoreHarness:
    """A store, and a browser at the program's own address."""

    store: Store
    browser: httpx.AsyncClient

    async def content(self, key: str, *, span: Span | None = None) -> bytes:
        async with self.store.read(key, span=span) as reading:
            content = b"".join([chunk async for chunk in reading.chunks])
            assert len(content) == reading.size_bytes
            return content

    async def send(
        self, form: UploadForm, content: bytes, *, changes: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Post the form as a page of ours does."""
        fields = {**form.fields, **(changes or {})}
        return await self.browser.post(form.url, data=fields, files={"file": ("../../me.jpg", content, "text/html")})


def folder_store(folder: Path, *, clock: Clock | None = None) -> FolderStore:
    return FolderStore(folder / "media", clock=clock or SystemClock())


def s3_store(
    server: Server,
    *,
    prefix: str = "",
    clock: Clock | None = None,
    timeout_seconds: float = 30,
    takes_direct_uploads: bool = True,
) -> S3Store:
    """Return a store on the server, at a prefix of its own unless one is given."""
    parts = urlsplit(server.url)
    return S3Store(
        S3Address.from_url(parts._replace(path=prefix or f"/tests/{uuid.uuid4().hex}").geturl()),
        Credentials(KEY_ID, SECRET),
        clock=clock or SystemClock(),
        timeout_seconds=timeout_seconds,
        takes_direct_uploads=takes_direct_uploads,
    )


@dataclass(frozen=True)
class Bucket:
    """A bucket with no other user, and Amazon's own client for it."""

    name: str
    url: str
    client: Any

    def rules(self) -> list[dict[str, Any]]:
        """Return the lifecycle rules as Amazon's client reads them."""
        found: list[dict[str, Any]] = self.client.get_bucket_lifecycle_configuration(Bucket=self.name)["Rules"]
        return found

    def set_rules(self, *rules: Mapping[str, Any]) -> None:
        enabled = [{"Status": "Enabled", **rule} for rule in rules]
        self.client.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration={"Rules": enabled})


@contextmanager
def fresh_bucket(server: Server, *, prefix: str = "") -> Iterator[Bucket]:
    """Make a bucket on the server, because lifecycle rules are those of a whole bucket."""
    name, endpoint = uuid.uuid4().hex, server.url.partition("endpoint=")[2]
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    with closing(client):
        client.create_bucket(Bucket=name)
        yield Bucket(name, f"s3://{name}/{prefix}?endpoint={endpoint}", client)


@asynccontextmanager
async def open_harness(store: Store, *, spool: Path) -> AsyncIterator[StoreHarness]:
    app = FastAPI(redirect_slashes=False)
    app.include_router(routes(store, spool=spool))
    app.add_exception_handler(DomainError, problems.on_domain_error)
    mounts = {HERE: httpx.ASGITransport(app)}
    network = httpx.AsyncHTTPTransport(verify=False)
    async with httpx.AsyncClient(base_url=HERE, transport=network, mounts=mounts, timeout=30) as browser:
        yield StoreHarness(store, browser)
    await store.close()
