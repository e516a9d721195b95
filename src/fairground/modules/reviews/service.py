"""Reviews of completed bookings: who may write one, what it may contain, and the totals of each provider."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from fairground.contracts.accounts import CLOSED_ACCOUNT_NAME, AccountClosed, Accounts, User
from fairground.contracts.booking import BookingNotFound, Bookings, BookingSide, BookingStatus
from fairground.contracts.reviews import (
    RATING_MAX,
    RATING_MIN,
    REVIEW_MAX_LENGTH,
    NotCompleted,
    PastReview,
    PastReviewsRecorded,
    ProviderRated,
    Review,
    ReviewExists,
    ReviewInvalid,
    ReviewPage,
    ReviewSide,
    ReviewWritten,
    reviews_tag,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor, offset_of
from fairground.kernel.text import clean_text, refused_as
from fairground.modules.reviews import store
from fairground.platform.db.database import Database, WriteTx


class _Overtaken(Exception):
    """Another transaction has stored one of the reviews since this one looked."""


class ReviewService:
    def __init__(self, *, db: Database, accounts: Accounts, bookings: Bookings) -> None:
        self._db = db
        self._accounts = accounts
        self._bookings = bookings

    async def write_review(self, *, author_id: UUID, booking_id: UUID, rating: int, text: str) -> Review:
        sides = await self._get_sides(booking_id)
        side = _side_of(author_id, sides)
        text = _check_review(sides, rating=rating, text=text)
        author = await self._accounts.get_user(user_id=author_id)
        async with self._db.write() as tx:
            review = _new_review(sides, author, side=side, rating=rating, text=text, at=await tx.current_time())
            tx.invalidate(reviews_tag(sides.provider_id), reviews_tag(sides.provider_slug))
            if not await store.insert_review(tx, review, author_id=author.id):
                raise ReviewExists("You've already reviewed this booking.")
            await tx.emit(
                ReviewWritten(review_id=review.id, booking_id=booking_id, provider_id=sides.provider_id, side=side)
            )
            if side is ReviewSide.CUSTOMER:
                totals = await store.add_ratings(tx, sides.provider_id, [rating])
                await tx.emit(ProviderRated(provider_id=sides.provider_id, review_id=review.id, **asdict(totals)))
        return review

    async def record_past_reviews(self, *, reviews: list[PastReview]) -> None:
        sides = await self._bookings.find_booking_sides(booking_ids={past.booking_id for past in reviews})
        for past in reviews:
            if past.booking_id not in sides:
                raise _not_found()
        author_ids = {_author_on(past.side, sides[past.booking_id]) for past in reviews}
        authors = await self._accounts.find_users(user_ids=author_ids)
        written: dict[tuple[UUID, ReviewSide], tuple[Review, UUID]] = {}
        for past in reviews:
            written.setdefault((past.booking_id, past.side), _past_review(past, sides[past.booking_id], authors))
        tags = {reviews_tag(key) for each in sides.values() for key in (each.provider_id, each.provider_slug)}
        while not await self._record(written, tags=tags):
            # Another transaction has committed one of these reviews; the next attempt reads it.
            pass

    async def _record(
        self, written: Mapping[tuple[UUID, ReviewSide], tuple[Review, UUID]], *, tags: Collection[str]
    ) -> bool:
        """Store the reviews that do not exist yet. Return False if another transaction was faster with one of them."""
        try:
            async with self._db.write() as tx:
                known = await store.find_reviewed(tx, {booking_id for booking_id, _ in written})
                new = [each for key, each in written.items() if key not in known]
                if not await store.insert_reviews(tx, new):
                    raise _Overtaken
                if new:
                    tx.invalidate(*tags)
                    await _announce(tx, [review for review, _ in new])
        except _Overtaken:
            return False
        return True

    async def _get_sides(self, booking_id: UUID) -> BookingSide:
        sides = await self._bookings.find_booking_side(booking_id=booking_id)
        if sides is None:
            raise _not_found()
        return sides

    async def list_booking_reviews(self, *, booking_id: UUID, viewer_id: UUID) -> list[Review]:
        side = _side_of(viewer_id, await self._get_sides(booking_id))
        async with self._db.read() as tx:
            written = await store.list_reviews_of_booking(tx, booking_id)
        return [review for review in written if review.hidden_reason is None or review.side is side]

    async def find_review(self, *, review_id: UUID) -> Review | None:
        async with self._db.read() as tx:
            return await store.find_review(tx, review_id)

    async def list_provider_reviews(
        self, *, provider_id: UUID, page: int = 1, limit: int, cursor: str | None = None
    ) -> ReviewPage:
        after = None if cursor is None else TimeCursor.read(cursor)
        offset = offset_of(page=page, limit=limit) if after is None else 0
        async with self._db.read() as tx:
            # The extra review shows whether another page follows.
            found = await store.list_reviews_of_provider(tx, provider_id, after=after, offset=offset, limit=limit + 1)
            total = await store.find_rating_count(tx, provider_id)
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].created_at, id=shown[-1].id) if len(found) > limit else None
        return ReviewPage(data=shown, total=total, next_cursor=None if end is None else end.write())

    async def on_account_closed(self, event: AccountClosed) -> None:
        """Give the reviews of a closed account its neutral name."""
        async with self._db.read() as tx:
            booking_ids = await store.list_reviewed_by(tx, event.user_id)
        sides = await self._bookings.find_booking_sides(booking_ids=booking_ids)
        async with self._db.write(ends_job=True) as tx:
            await store.rename_author(tx, event.user_id, name=CLOSED_ACCOUNT_NAME)
            tx.invalidate(
                *(reviews_tag(key) for each in sides.values() for key in (each.provider_id, each.provider_slug))
            )


def _new_review(sides: BookingSide, author: User, *, side: ReviewSide, rating: int, text: str, at: datetime) -> Review:
    return Review(
        id=uuid7(),
        booking_id=sides.booking_id,
        provider_id=sides.provider_id,
        side=side,
        author_name=public_name(author.name),
        rating=rating,
        text=text,
        created_at=at,
    )


def _past_review(past: PastReview, sides: BookingSide, authors: Mapping[UUID, User]) -> tuple[Review, UUID]:
    """Return a review with its author."""
    text = _check_review(sides, rating=past.rating, text=past.text)
    author = authors.get(_author_on(past.side, sides))
    if author is None:
        raise _not_found()
    review = _new_review(sides, author, side=past.side, rating=past.rating, text=text, at=past.written_at)
    return review, author.id


async def _announce(tx: WriteTx, reviews: Sequence[Review]) -> None:
    """Add reviews that came along to the totals of their providers, and announce them by one event."""
    stars: dict[UUID, list[int]] = defaultdict(list)
    booking_ids: dict[ReviewSide, list[UUID]] = defaultdict(list)
    for review in reviews:
        booking_ids[review.side].append(review.booking_id)
        if review.side is ReviewSide.CUSTOMER:
            stars[review.provider_id].append(review.rating)
    # In the order of their ids, so that two transactions cannot deadlock.
    totals = {each: await store.add_ratings(tx, each, stars[each]) for each in sorted(stars)}
    await tx.emit(
        PastReviewsRecorded(
            ratings={each: (total.rating_sum, total.rating_count) for each, total in totals.items()},
            booking_ids=booking_ids,
            versions={each: total.version for each, total in totals.items()},
        )
    )


def _side_of(user_id: UUID, sides: BookingSide) -> ReviewSide:
    """Return the user's side of the booking; raise BookingNotFound if the user is on neither."""
    if user_id == sides.customer_id:
        return ReviewSide.CUSTOMER
    if user_id == sides.provider_owner_id:
        return ReviewSide.PROVIDER
    raise _not_found()


def _author_on(side: ReviewSide, sides: BookingSide) -> UUID:
    return sides.customer_id if side is ReviewSide.CUSTOMER else sides.provider_owner_id


def _not_found() -> BookingNotFound:
    """Return one error for unknown bookings and for those of others, so callers cannot distinguish them."""
    return BookingNotFound("This booking does not exist, or is not yours.")


def _check_review(sides: BookingSide, *, rating: int, text: str) -> str:
    """Return the text of a review as it is stored; it may be empty.

    Raises:
        NotCompleted: The booking is not completed.
        ReviewInvalid: The rating is out of range, or `kernel.text` refuses the text.
    """
    if sides.status is not BookingStatus.COMPLETED:
        raise NotCompleted(f"This booking is {sides.status}.")
    if not RATING_MIN <= rating <= RATING_MAX:
        raise ReviewInvalid(f"The rating is {rating}.", hint=f"Give {RATING_MIN} to {RATING_MAX} stars.")
    with refused_as(ReviewInvalid, "The text", field="text"):
        return clean_text(text, most=REVIEW_MAX_LENGTH)


def public_name(name: str) -> str:
    """Return the first name and the initial of the last: 'Anna Berg' becomes 'Anna B.'."""
    first, *rest = name.split() or ["Anonymous"]
    return f"{first} {rest[-1][0]}." if rest else first
