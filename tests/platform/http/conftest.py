"""A small application on the real platform, so that tests call routes over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Query
from sqlalchemy import func, select
from starlette.requests import HTTPConnection

from fairground.kernel.errors import Conflict, LimitExceeded, Unavailable
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import Input
from fairground.platform.db.common.idempotency import mark_effective
from fairground.platform.db.common.tables import IdempotencyRow, history
from fairground.platform.db.database import Database
from fairground.platform.db.migrate import upgrade
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller, SignedIn, Staff
from fairground.platform.http.request_counter import RequestStats
from fairground.platform.http.routing import api_router
from tests.support.outbox import RecordingOutbox

PUBLIC_URL = "http://127.0.0.1:8000"


class NameAuthenticator:
    """Accepts any user id as bearer token; `admin:<id>` is staff."""

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        role, _, user = token.rpartition(":")
        return Caller(user_id=UUID(user), name="Test", role=role or "customer", session_id=uuid7(), is_token=True)


class ThingIn(Input):
    name: str
    behaviour: str = "good"


class Pending(Unavailable):
    code = "test.pending"
    is_resumable = True


_AFTER_WRITE: Final[dict[str, Exception]] = {
    "crash": RuntimeError("power cut"),
    "busy after a write": Unavailable("Later."),
    "limit after a write": LimitExceeded("Too often.", retry_after_seconds=7),
    "pending once": Pending("Not yet."),
}


class Shop:
    """Counts its calls, and writes in each of them, so that a test sees what was really done."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.calls = 0
        self.may_write_late = asyncio.Event()
        self.late_write: asyncio.Task[None] | None = None

    async def make(self, thing: ThingIn) -> dict[str, object]:
        self.calls += 1
        if thing.behaviour == "conflict":
            raise Conflict(f"{thing.name} is there already.")
        if thing.behaviour == "busy":
            raise Unavailable("Later.")
        async with self.db.write() as tx:
            count = await tx.scalar(select(func.count()).select_from(IdempotencyRow))
        if thing.behaviour in _AFTER_WRITE and not (thing.behaviour == "pending once" and self.calls > 1):
            raise _AFTER_WRITE[thing.behaviour]
        if thing.behaviour == "late write":
            self.late_write = asyncio.get_running_loop().create_task(self._write_late())
        return {"name": thing.name, "call": self.calls, "keys": count}

    async def _write_late(self) -> None:
        await self.may_write_late.wait()
        async with self.db.write():
            pass


def shop_routes(shop: Shop) -> APIRouter:
    router = api_router(tags=["things"])

    @router.post("/things", status_code=201)
    async def make_thing(thing: ThingIn, _caller: SignedIn) -> dict[str, object]:
        return await shop.make(thing)

    @router.get("/things")
    async def list_things(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> dict[str, int]:
        return {"limit": limit}

    @router.get("/limited")
    async def be_limited() -> None:
        raise LimitExceeded("Too often.", retry_after_seconds=7)

    @router.get("/broken")
    async def break_down() -> None:
        raise RuntimeError("a secret")

    @router.get("/staff")
    async def enter(caller: Staff) -> str:
        return caller.role

    return router


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, outbox=RecordingOutbox(), guards=[mark_effective])
    engine = database.backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
    engine.dispose()
    yield database
    await database.close()


@pytest.fixture
def shop(db: Database) -> Shop:
    return Shop(db)


@pytest.fixture
def requests() -> RequestStats:
    return RequestStats()


@pytest.fixture
async def client(db: Database, shop: Shop, requests: RequestStats) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        db=db,
        authenticator=NameAuthenticator(),
        api=[shop_routes(shop)],
        pages=[],
        public_url=PUBLIC_URL,
        requests=requests,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        yield http
