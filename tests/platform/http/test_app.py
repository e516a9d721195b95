"""Whether a server is ready, and what a 503 does not say."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.db.probes import BAD_FOR_SECONDS, GOOD_FOR_SECONDS, WriteProbe
from fairground.platform.http.app import create_app
from fairground.platform.http.routing import api_router
from tests.platform.http.conftest import PUBLIC_URL, NameAuthenticator
from tests.support.outbox import RecordingOutbox
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio


async def set_read_only(db: Database, *, is_read_only: bool) -> None:
    """Let the database refuse every write and answer every read, as on a full disk or a standby server."""
    backend: Any = db.backend
    if db.backend.file is not None:
        if is_read_only:
            async with db.write():  # so that the writer is there
                pass
        backend._writer._raw.execute(f"PRAGMA query_only = {is_read_only:d}")
        return
    engine = backend.migration_engine()
    with engine.connect() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.commit()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {is_read_only}')
        connection.commit()
    engine.dispose()
    await backend._pool.close()  # a session keeps what was set when it began


class Watch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_server_that_can_write_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200


async def test_server_that_can_only_read_is_not_ready_and_gives_no_reasons(
    client: httpx.AsyncClient, db: Database
) -> None:
    await set_read_only(db, is_read_only=True)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
    assert "read" not in answer.text.lower().replace("ready", "")
    assert (await client.get("/healthz")).status_code == 200


async def test_write_probe_is_cached_and_repeated_soon_after_a_failure(db: Database) -> None:
    watch = Watch()
    probe = WriteProbe(db, now=watch)
    with statements_of(db) as statements:
        await probe.check()
        first = len(statements)
        for _ in range(5):
            await probe.check()
        assert len(statements) == first > 0
    await set_read_only(db, is_read_only=True)
    await probe.check()  # what was found out still counts
    watch.seconds += GOOD_FOR_SECONDS
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            await probe.check()
    await set_read_only(db, is_read_only=False)
    watch.seconds += BAD_FOR_SECONDS
    await probe.check()


@pytest.mark.parametrize("path", ["/readyz", "/api/v1/things?limit=1"])
async def test_unreachable_database_is_a_503_that_names_no_host_port_or_user(path: str) -> None:
    db = Database("postgresql://some_user@127.0.0.1:1/some_database", outbox=RecordingOutbox())
    app = create_app(db=db, authenticator=NameAuthenticator(), api=[_reading(db)], pages=[], public_url=PUBLIC_URL)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        answer = await client.get(path)
    await db.close()
    assert answer.status_code == 503
    shown = answer.text.lower()
    assert [secret for secret in ("127.0.0.1", "port", "some_", "connection", "psycopg") if secret in shown] == []


def _reading(db: Database) -> Any:
    router = api_router(tags=["things"])

    @router.get("/things")
    async def list_things(limit: int) -> int:
        await db.ping()
        return limit

    return router
