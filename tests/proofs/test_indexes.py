"""Each hot query of services, providers, bookings and reviews reads an index (docs/architecture.md, "Indexes")."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import select, text

from benchmarks.marketplace import Marketplace, build
from fairground.contracts.booking import BookingStatus
from fairground.contracts.discovery import ProviderQuery, ProviderSort
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import SystemClock
from fairground.modules.booking.deals import store as bookings
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.providers.store import details, services
from fairground.modules.providers.tables import ProviderRow
from fairground.modules.reviews import store as reviews
from fairground.modules.reviews.tables import ReviewRow
from fairground.platform.db.database import Database, ReadTx, WriteTx
from fairground.verticals.loader import load_verticals
from tests.support.booking_rows import add_requests
from tests.support.databases import migrate
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose
from tests.support.statements import Statement, explain, statements_of

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS: Final = [uuid7() for _ in range(200)]
_STEP: Final = 2_000


@pytest.fixture
async def market(database_url: str, dose: Dose) -> AsyncIterator[tuple[Database, Marketplace]]:
    """Give a database with as many providers, bookings and reviews as the dose says."""
    migrate(database_url)
    db, count = Database(database_url, outbox=RecordingOutbox()), dose(small=2_000, full=100_000)
    built = await build(db, providers=count)
    statuses = (BookingStatus.COMPLETED, BookingStatus.REQUESTED, BookingStatus.CONFIRMED)
    await add_requests(db, count=count, customers=USERS, owners=USERS, statuses=statuses)
    for first in range(0, count, _STEP):
        async with db.write() as tx:
            await tx.insert_many(ReviewRow, [_review(number) for number in range(first, first + _STEP)])
            await _submit(tx, first)
    if db.backend.ops.name != "sqlite":
        engine = db.backend.migration_engine()
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
        engine.dispose()
    yield db, built
    await db.close()


def _review(number: int) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "booking_id": uuid7(),
        "provider_id": USERS[number % len(USERS)],
        "side": "customer",
        "author_id": uuid7(),
        "author_name": "Kim",
        "rating": 5,
        "text": "",
        "created_at": NOW + timedelta(minutes=number),
    }


async def _submit(tx: WriteTx, number: int) -> None:
    """Let one provider of each step wait for a decision."""
    await tx.execute(
        text("UPDATE providers_provider SET status = 'submitted', submitted_at = created_at WHERE slug = :slug"),
        [{"slug": f"p-{number}"}],
    )


class _Question(NamedTuple):
    """A query of ours, and the indexes of which any may answer it."""

    name: str
    table: str
    ask: Callable[[ReadTx], Awaitable[Any]]
    indexes: tuple[str, ...]
    is_page: bool = False
    """Its rows come in the order of an index, and nothing is sorted."""


def _questions(provider_id: UUID) -> Iterator[_Question]:
    service, user = ("ix_providers_service__provider_id",), USERS[1]
    yield _Question(
        "services of a provider", "providers_service", lambda tx: details.list_services(tx, [provider_id]), service
    )
    yield _Question(
        "profiles that wait for a decision",
        "providers_provider",
        lambda tx: details.list_submitted(tx, limit=10),
        ("ix_providers_provider__submitted",),
    )
    for side, column in ((Actor.PROVIDER, "provider_owner_id"), (Actor.CUSTOMER, "customer_id")):
        for status in (None, BookingStatus.CONFIRMED):
            page = partial(bookings.list_page, user_id=user, side=side, status=status, after=None, offset=0, limit=20)
            index = f"ix_booking_booking__{column}_{'status_' if status else ''}starts_at_id"
            yield _Question(f"bookings, {side}, {status}", "booking_booking", page, (index,), is_page=True)
    yield _Question(
        "live bookings ahead of a provider",
        "booking_booking",
        partial(bookings.list_ahead, provider_id=user),
        # PostgreSQL may also take the index of the overlap guard, which begins with the provider as well.
        ("ix_booking_allocation__resource_id_unit_blocked_from", "booking_allocation_overlap"),
    )
    yield _Question(
        "reviews of a provider",
        "reviews_review",
        lambda tx: reviews.list_reviews_of_provider(tx, user, after=None, offset=0, limit=10),
        ("ix_reviews_review__provider_id_side_created_at_id",),
        is_page=True,
    )


async def test_queries_of_services_providers_bookings_and_reviews_read_an_index(
    market: tuple[Database, Marketplace],
) -> None:
    db, _ = market
    async with db.read() as tx:
        provider_id: UUID = await tx.scalar(select(ProviderRow.id).limit(1))
    for question in _questions(provider_id):
        with statements_of(db) as statements:
            async with db.read() as tx:
                await question.ask(tx)
        plan = _check(db, question.name, question.table, question.indexes, statements, is_page=question.is_page)
        if question.is_page:
            assert "Sort" not in plan, f"{question.name}: {plan}"
            assert "TEMP B-TREE" not in plan, f"{question.name}: {plan}"
    with statements_of(db) as statements:
        async with db.write() as tx:
            await services.refresh_price(tx, provider_id)
    _check(db, "lowest price", "providers_service", ("ix_providers_service__provider_id",), statements)


async def test_lists_by_age_by_category_and_price_and_by_location_read_an_index_of_entries(
    market: tuple[Database, Marketplace],
) -> None:
    db, built = market
    directory = Directory(db=db, verticals=load_verticals(), clock=SystemClock())
    for index, query in {
        "newest": ProviderQuery(sort=ProviderSort.NEWEST),
        "price": ProviderQuery(vertical="artists", category="dj", sort=ProviderSort.PRICE),
        "location": ProviderQuery(vertical="artists", location=built.cities[30].name),
    }.items():
        with statements_of(db) as statements:
            await directory.search_providers(query=query)
        _check(db, index, "discovery_list_entry", (f"ix_discovery_list_entry__{index}",), statements)


def _check(
    db: Database,
    name: str,
    table: str,
    indexes: Sequence[str],
    statements: Sequence[Statement],
    *,
    is_page: bool = False,
) -> str:
    """Assert that the first statement about a table reads one of the indexes; return its plan."""
    statement = next(each for each in statements if f"FROM {table}" in each[0])
    plan = explain(db, statement, preparing=_preparing(db, is_page=is_page))
    assert any(index in plan for index in indexes), f"{name}: {plan}"
    return plan


def _preparing(db: Database, *, is_page: bool) -> list[str]:
    if Dose.is_full or db.backend.ops.name == "sqlite":
        return []
    # Two thousand rows fit into so few pages that the planner would rather read them all, and sort those of a page.
    return ["SET enable_seqscan = off", *(["SET enable_sort = off", "SET enable_bitmapscan = off"] if is_page else [])]
