"""A hold beside many unanswered requests of others against one beside none: the others must cost it nothing."""

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from benchmarks.measuring import Cost, Meter, Rounds, backend_processes
from benchmarks.results import Recorder
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


async def _cost_of_a_hold(rig: Rig, offer: Offer, process_ids: Sequence[int]) -> Cost:
    """Return what a hold takes with its cancellation, each by a customer of its own."""
    starts_at, meter = await rig.tomorrow(), Meter(*process_ids)
    for _ in range(HOLDS):
        customer_id = uuid7()
        booking = await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
        await rig.service.cancel(user_id=customer_id, booking_id=booking.id)
    return meter.cost(units=HOLDS)


async def test_hold_costs_the_same_among_many_requests(rigs: list[Rig], dialect: str, record: Recorder) -> None:
    places = dict(zip(("theirs", "ours"), rigs, strict=True))
    offers = {name: await rig.offer() for name, rig in places.items()}
    process_ids = {name: [os.getpid(), *await backend_processes(rig.db)] for name, rig in places.items()}
    rounds = Rounds()
    for name in rounds.turns(*places):
        rounds.add(name, await _cost_of_a_hold(places[name], offers[name], process_ids[name]))
    what, against = f"a hold and its end among {REQUESTS:,} requests of others, {dialect}", "the same among none"
    record.compare("Holds", what, against, rounds, unit="hold", cpu_ratio_max=RATIO_MAX)
    assert rounds.cpu_ratio("ours", "theirs") <= RATIO_MAX
