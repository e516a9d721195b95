"""A hold beside many unanswered requests of others against one beside none: the others must cost it nothing."""

import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from fairground.contracts.providers import Offer
from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from tests.modules.booking.rig import Rig, make_rig
from tests.support.booking_rows import add_requests, analyze
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import fresh_database

pytestmark = pytest.mark.anyio

REQUESTS: Final = 20_000
ROUNDS: Final = 7
HOLDS: Final = 40  # in each round and place
RATIO_MAX: Final = 1.5


@pytest.fixture
async def rigs(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[list[Rig]]:
    """Give a marketplace without requests, and one with many."""
    async with contextlib.AsyncExitStack() as stack:
        urls = [f"sqlite:///{tmp_path / name}.db" for name in ("none", "many")]
        if dialect == "postgres":
            server = request.getfixturevalue("postgres_server")
            urls = [stack.enter_context(fresh_database(server)) for _ in urls]
        rigs = []
        for url, count in zip(urls, (0, REQUESTS), strict=True):
            migrate(url)
            outbox = RecordingOutbox()
            # One connection, so that one server process does all of the work and can be timed.
            db = Database(url, outbox=outbox, pool_size=1)
            stack.push_async_callback(db.close)
            await add_requests(db, count=count)
            analyze(db)
            rigs.append(make_rig(db, outbox))
        yield rigs


async def _server_process(db: Database) -> int | None:
    if db.backend.ops.name == "sqlite":
        return None
    async with db.write() as tx:
        process_id: int = await tx.scalar(text("SELECT pg_backend_pid()"))
    return process_id


def _cpu_seconds(process_id: int | None) -> float:
    """Return the CPU time of this process and of the database server, if there is one."""
    own = time.process_time()
    if process_id is None:
        return own
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _milliseconds_for_each(rig: Rig, offer: Offer, process_id: int | None) -> float:
    """Return the CPU time of a hold, each by a customer of its own; all holds are cancelled afterwards."""
    starts_at = await rig.tomorrow()
    spent = 0.0
    for _ in range(HOLDS):
        customer_id = uuid7()
        began = _cpu_seconds(process_id)
        booking = await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
        spent += _cpu_seconds(process_id) - began
        await rig.service.cancel(user_id=customer_id, booking_id=booking.id)
    return spent / HOLDS * 1_000


async def test_hold_costs_the_same_among_many_requests(
    rigs: list[Rig], dialect: str, figure: Callable[[str, float, str], None]
) -> None:
    places = [(rig, await rig.offer(), await _server_process(rig.db)) for rig in rigs]
    for place in places:
        await _milliseconds_for_each(*place)
    # In turn, so that other work of the machine affects both.
    rounds = [[await _milliseconds_for_each(*place) for place in places] for _ in range(ROUNDS)]
    ratio = statistics.median(many / none for none, many in rounds)
    figure(f"{dialect}: CPU of a hold among none", statistics.median(none for none, _ in rounds), "ms")
    figure(
        f"{dialect}: CPU of a hold among {REQUESTS} requests of others", statistics.median(m for _, m in rounds), "ms"
    )
    figure(f"{dialect}: the second against the first", ratio, "×")
    assert ratio <= RATIO_MAX
