"""Each side reviews a completed booking once, and the totals equal a recount."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Text, column, func, select, table, text

from fairground.contracts.accounts import AccountClosed, Accounts, Role, User
from fairground.contracts.booking import BookingNotFound, Bookings, BookingSide, BookingStatus
from fairground.contracts.reviews import (
    NotCompleted,
    PastReview,
    PastReviewsRecorded,
    ProviderRated,
    Review,
    ReviewExists,
    ReviewInvalid,
    ReviewSide,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import PageTooDeep, TimeCursor
from fairground.modules.reviews.service import ReviewService, public_name
from fairground.platform.db.database import Database
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of, without_scans

pytestmark = pytest.mark.anyio

PROVIDER, OWNER = uuid7(), uuid7()


class KnownBookings:
    def __init__(self) -> None:
        self.sides: dict[UUID, BookingSide] = {}

    def add(self, status: BookingStatus = BookingStatus.COMPLETED) -> BookingSide:
        side = BookingSide(
            booking_id=uuid7(),
            status=status,
            customer_id=uuid7(),
            provider_id=PROVIDER,
            provider_slug="maya",
            provider_owner_id=OWNER,
        )
        self.sides[side.booking_id] = side
        return side

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None:
        return self.sides.get(booking_id)

    async def find_booking_sides(self, *, booking_ids: Collection[UUID]) -> dict[UUID, BookingSide]:
        return {booking_id: self.sides[booking_id] for booking_id in booking_ids if booking_id in self.sides}


class AccountsOfAnna:
    async def get_user(self, *, user_id: UUID) -> User:
        return User(
            id=user_id,
            email="anna@example.test",
            name="Anna Berg",
            role=Role.CUSTOMER,
            email_verified=True,
            created_at=datetime.now(UTC),
        )

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        return {user_id: await self.get_user(user_id=user_id) for user_id in user_ids}


@pytest.fixture
def bookings() -> KnownBookings:
    return KnownBookings()


def service(db: Database, bookings: KnownBookings) -> ReviewService:
    return ReviewService(db=db, accounts=cast("Accounts", AccountsOfAnna()), bookings=cast("Bookings", bookings))


@pytest.fixture
def reviews(db: Database, bookings: KnownBookings) -> ReviewService:
    return service(db, bookings)


async def test_each_side_reviews_a_completed_booking_once(reviews: ReviewService, bookings: KnownBookings) -> None:
    side = bookings.add()
    mine = await reviews.write_review(
        author_id=side.customer_id, booking_id=side.booking_id, rating=5, text="Wonderful."
    )
    theirs = await reviews.write_review(author_id=OWNER, booking_id=side.booking_id, rating=4, text="")
    assert (mine.side, theirs.side) == (ReviewSide.CUSTOMER, ReviewSide.PROVIDER)
    assert mine.author_name == "Anna B."
    with pytest.raises(ReviewExists):
        await reviews.write_review(author_id=OWNER, booking_id=side.booking_id, rating=1, text="again")
    assert await reviews.list_booking_reviews(booking_id=side.booking_id, viewer_id=OWNER) == [mine, theirs]
    page = await reviews.list_provider_reviews(provider_id=PROVIDER, page=1, limit=10)
    assert (page.data, page.total) == ([mine], 1)


async def test_booking_of_others_and_unknown_booking_are_refused_alike(
    reviews: ReviewService, bookings: KnownBookings
) -> None:
    side = bookings.add()
    with pytest.raises(BookingNotFound) as of_others:
        await reviews.write_review(author_id=uuid7(), booking_id=side.booking_id, rating=5, text="")
    with pytest.raises(BookingNotFound) as of_none:
        await reviews.write_review(author_id=uuid7(), booking_id=uuid7(), rating=5, text="")
    assert of_others.value.detail == of_none.value.detail
    with pytest.raises(BookingNotFound):
        await reviews.list_booking_reviews(booking_id=side.booking_id, viewer_id=uuid7())


@pytest.mark.parametrize("status", [status for status in BookingStatus if status is not BookingStatus.COMPLETED])
async def test_booking_that_is_not_completed_cannot_be_reviewed(
    reviews: ReviewService, bookings: KnownBookings, status: BookingStatus
) -> None:
    side = bookings.add(status)
    with pytest.raises(NotCompleted):
        await reviews.write_review(author_id=side.customer_id, booking_id=side.booking_id, rating=5, text="")


@pytest.mark.parametrize(("rating", "words"), [(0, ""), (6, ""), (3, "x" * 4_001)])
async def test_review_out_of_bounds_is_refused(
    reviews: ReviewService, bookings: KnownBookings, rating: int, words: str
) -> None:
    side = bookings.add()
    with pytest.raises(ReviewInvalid):
        await reviews.write_review(author_id=side.customer_id, booking_id=side.booking_id, rating=rating, text=words)


async def test_pages_are_newest_first_and_do_not_overlap(reviews: ReviewService, bookings: KnownBookings) -> None:
    for rating in (1, 2, 3, 4, 5):
        side = bookings.add()
        await reviews.write_review(author_id=side.customer_id, booking_id=side.booking_id, rating=rating, text="")
    pages = [await reviews.list_provider_reviews(provider_id=PROVIDER, page=page, limit=2) for page in (1, 2, 3)]
    assert [[review.rating for review in page.data] for page in pages] == [[5, 4], [3, 2], [1]]
    assert {page.total for page in pages} == {5}


async def test_cursor_leads_through_all_reviews_of_one_instant(reviews: ReviewService, bookings: KnownBookings) -> None:
    sides, written_at = [bookings.add() for _ in range(5)], datetime(2026, 3, 1, 12, tzinfo=UTC)
    past = [
        PastReview(booking_id=side.booking_id, side=ReviewSide.CUSTOMER, rating=4, text="", written_at=written_at)
        for side in sides
    ]
    await reviews.record_past_reviews(reviews=past)
    whole = await reviews.list_provider_reviews(provider_id=PROVIDER, limit=10)
    assert (len(whole.data), whole.next_cursor) == (5, None)
    first = await reviews.list_provider_reviews(provider_id=PROVIDER, limit=2)
    second = await reviews.list_provider_reviews(provider_id=PROVIDER, limit=2, cursor=first.next_cursor)
    third = await reviews.list_provider_reviews(provider_id=PROVIDER, limit=2, cursor=second.next_cursor, page=9)
    assert [*first.data, *second.data, *third.data] == whole.data
    assert third.next_cursor is None


async def test_page_after_the_first_ten_thousand_is_refused(reviews: ReviewService) -> None:
    with pytest.raises(PageTooDeep):
        await reviews.list_provider_reviews(provider_id=PROVIDER, page=101, limit=100)


async def test_page_of_reviews_reads_an_index_and_counts_nothing(db: Database, reviews: ReviewService) -> None:
    with statements_of(db) as statements:
        cursor = TimeCursor(at=datetime(2026, 3, 1, tzinfo=UTC), id=uuid7()).write()
        await reviews.list_provider_reviews(provider_id=PROVIDER, limit=2, cursor=cursor)
    plans = [explain(db, each, preparing=without_scans(db)) for each in statements if "reviews_" in each[0]]
    assert len(plans) == 2
    assert "ix_reviews_review__provider_id_side_created_at_id" in plans[0]
    assert "pk_reviews_provider_figures" in plans[1] or "sqlite_autoindex_reviews_provider_figures" in plans[1]
    assert not {word for word in ("Sort", "B-TREE", "SCAN", "Seq Scan") if word in "\n".join(plans)}


async def test_reviews_of_a_closed_account_get_its_neutral_name(
    reviews: ReviewService, bookings: KnownBookings, db: Database
) -> None:
    mine, other = bookings.add(), bookings.add()
    for side in (mine, other):
        await reviews.write_review(author_id=side.customer_id, booking_id=side.booking_id, rating=5, text="Good.")
    with statements_of(db) as statements:
        await reviews.on_account_closed(AccountClosed(user_id=mine.customer_id, version=1))
    found = (await reviews.list_provider_reviews(provider_id=PROVIDER, limit=9)).data
    names = {review.booking_id: review.author_name for review in found}
    assert names == {mine.booking_id: "Closed account", other.booking_id: "Anna B."}
    plans = "\n".join(explain(db, each, preparing=without_scans(db)) for each in statements if "reviews_" in each[0])
    assert "ix_reviews_review__author_id" in plans


async def write_concurrently(reviews: ReviewService, side: BookingSide) -> list[Any]:
    writes = (
        reviews.write_review(author_id=side.customer_id, booking_id=side.booking_id, rating=4, text="")
        for _ in range(16)
    )
    return await asyncio.gather(*writes, return_exceptions=True)


async def test_one_of_many_concurrent_reviews_of_a_booking_is_stored(
    reviews: ReviewService, bookings: KnownBookings, outbox: RecordingOutbox
) -> None:
    results = await write_concurrently(reviews, bookings.add())
    assert sum(isinstance(result, ReviewExists) for result in results) == 15
    (written,) = [result for result in results if isinstance(result, Review)]
    rated = ProviderRated(provider_id=PROVIDER, rating_sum=4, rating_count=1, review_id=written.id, version=1)
    assert [event for event in outbox.events if isinstance(event, ProviderRated)] == [rated]
    assert len(outbox.events) == 2


async def test_without_the_unique_constraint_concurrent_reviews_are_stored(
    database_url: str, bookings: KnownBookings
) -> None:
    """The negative control: the constraint refuses the other rows."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE unguarded AS SELECT * FROM reviews_review"))
        connection.execute(text("DROP TABLE reviews_review"))
        connection.execute(text("ALTER TABLE unguarded RENAME TO reviews_review"))
    engine.dispose()
    await write_concurrently(service(db, bookings), bookings.add())
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(table("reviews_review", column("id", Text)))) > 1
    await db.close()


async def test_totals_of_concurrent_reviews_equal_a_recount(
    reviews: ReviewService, bookings: KnownBookings, outbox: RecordingOutbox
) -> None:
    sides = [bookings.add() for _ in range(20)]
    await asyncio.gather(
        *(
            reviews.write_review(author_id=side.customer_id, booking_id=side.booking_id, rating=1 + n % 5, text="")
            for n, side in enumerate(sides)
        )
    )
    last = max((event for event in outbox.events if isinstance(event, ProviderRated)), key=lambda e: e.rating_count)
    assert (last.rating_count, last.rating_sum) == (20, 60)


@pytest.mark.parametrize(
    ("name", "public"), [("Anna Berg", "Anna B."), ("Anna", "Anna"), ("  ", "Anonymous"), ("A B C", "A C.")]
)
def test_author_is_shown_as_first_name_and_initial(name: str, public: str) -> None:
    assert public_name(name) == public


async def test_past_reviews_keep_their_dates_and_are_stored_once(
    reviews: ReviewService, bookings: KnownBookings, outbox: RecordingOutbox
) -> None:
    side, written_at = bookings.add(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    past = [
        PastReview(booking_id=side.booking_id, side=each, rating=4, text=f"By the {each}.", written_at=written_at)
        for each in ReviewSide
    ]
    await reviews.record_past_reviews(reviews=past)
    await reviews.record_past_reviews(reviews=past)
    page = await reviews.list_provider_reviews(provider_id=PROVIDER, page=1, limit=10)
    assert [(review.text, review.created_at) for review in page.data] == [("By the customer.", written_at)]
    booking_ids = {each: [side.booking_id] for each in ReviewSide}
    assert outbox.events == [
        PastReviewsRecorded(ratings={PROVIDER: (4, 1)}, booking_ids=booking_ids, versions={PROVIDER: 1})
    ]


async def test_past_reviews_add_to_the_totals_once_each(
    reviews: ReviewService, bookings: KnownBookings, outbox: RecordingOutbox
) -> None:
    first, second, written_at = bookings.add(), bookings.add(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    await reviews.write_review(author_id=first.customer_id, booking_id=first.booking_id, rating=2, text="")
    past = [
        PastReview(booking_id=side.booking_id, side=ReviewSide.CUSTOMER, rating=5, text="", written_at=written_at)
        for side in (first, second, second)
    ]
    await reviews.record_past_reviews(reviews=past)
    assert (await reviews.list_provider_reviews(provider_id=PROVIDER, limit=10)).total == 2
    [recorded] = [event for event in outbox.events if isinstance(event, PastReviewsRecorded)]
    assert recorded.ratings == {PROVIDER: (7, 2)}
    assert recorded.booking_ids == {ReviewSide.CUSTOMER: [second.booking_id]}


async def test_past_review_of_an_unknown_booking_is_refused(reviews: ReviewService) -> None:
    past = PastReview(booking_id=uuid7(), side=ReviewSide.CUSTOMER, rating=5, text="", written_at=datetime.now(UTC))
    with pytest.raises(BookingNotFound):
        await reviews.record_past_reviews(reviews=[past])


async def test_concurrent_records_of_the_same_past_reviews_store_each_once(
    reviews: ReviewService, bookings: KnownBookings, outbox: RecordingOutbox
) -> None:
    past = [
        PastReview(
            booking_id=side.booking_id, side=ReviewSide.CUSTOMER, rating=4, text="", written_at=datetime.now(UTC)
        )
        for side in [bookings.add() for _ in range(5)]
    ]
    await asyncio.gather(*(reviews.record_past_reviews(reviews=past) for _ in range(4)))
    recorded = [event for event in outbox.events if isinstance(event, PastReviewsRecorded)]
    assert max(event.ratings[PROVIDER] for event in recorded if event.ratings) == (20, 5)
    assert (await reviews.list_provider_reviews(provider_id=PROVIDER, limit=10)).total == 5


@pytest.mark.parametrize(
    ("status", "rating", "refusal"),
    [(BookingStatus.CONFIRMED, 4, NotCompleted), (BookingStatus.COMPLETED, 6, ReviewInvalid)],
)
async def test_one_refused_past_review_refuses_all_of_them(
    reviews: ReviewService, bookings: KnownBookings, status: BookingStatus, rating: int, refusal: type[Exception]
) -> None:
    good, bad = bookings.add(), bookings.add(status)
    past = [
        PastReview(
            booking_id=side.booking_id, side=ReviewSide.CUSTOMER, rating=stars, text="", written_at=datetime.now(UTC)
        )
        for side, stars in ((good, 5), (bad, rating))
    ]
    with pytest.raises(refusal):
        await reviews.record_past_reviews(reviews=past)
    assert (await reviews.list_provider_reviews(provider_id=PROVIDER, page=1, limit=10)).total == 0
