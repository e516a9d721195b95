"""Moderation of reviews: staff list, hide and restore them; the totals of the provider follow in the transaction."""

from dataclasses import asdict
from uuid import UUID

from fairground.contracts.accounts import Accounts, NotPermitted
from fairground.contracts.booking import Bookings
from fairground.contracts.reviews import (
    HIDING_REASON_MAX_LENGTH,
    ProviderRated,
    ReviewHidden,
    ReviewInvalid,
    ReviewNotFound,
    ReviewRestored,
    ReviewSide,
    ReviewVisibilityConflict,
    StaffReview,
    StaffReviewPage,
    reviews_tag,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import TimeCursor
from fairground.kernel.text import refused_as, require_text
from fairground.modules.reviews import store
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database, WriteTx


class ReviewModeration:
    """Implements `StaffReviews`."""

    def __init__(self, *, db: Database, accounts: Accounts, bookings: Bookings) -> None:
        self._db = db
        self._accounts = accounts
        self._bookings = bookings

    async def list_reviews(
        self,
        *,
        staff_id: UUID,
        provider_id: UUID | None = None,
        is_hidden: bool | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffReviewPage:
        await self._require_staff(staff_id)
        after = None if cursor is None else TimeCursor.read(cursor)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.list_for_staff(
                tx, provider_id=provider_id, is_hidden=is_hidden, after=after, limit=limit + 1
            )
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].created_at, id=shown[-1].id) if len(found) > limit else None
        return StaffReviewPage(data=shown, next_cursor=None if end is None else end.write())

    async def hide_review(self, *, staff_id: UUID, review_id: UUID, reason: str) -> StaffReview:
        with refused_as(ReviewInvalid, "The reason", field="reason"):
            reason = require_text(reason, most=HIDING_REASON_MAX_LENGTH)
        return await self._set_hidden(review_id, staff_id=staff_id, reason=reason)

    async def restore_review(self, *, staff_id: UUID, review_id: UUID) -> StaffReview:
        return await self._set_hidden(review_id, staff_id=staff_id, reason=None)

    async def _set_hidden(self, review_id: UUID, *, staff_id: UUID, reason: str | None) -> StaffReview:
        await self._require_staff(staff_id)
        tags = await self._find_tags(review_id)
        async with self._db.write() as tx:
            review = await store.set_hidden(tx, review_id, reason=reason)
            if review is None:
                raise ReviewVisibilityConflict(f"This review is {'shown' if reason is None else 'hidden'} already.")
            if review.side is ReviewSide.CUSTOMER:
                change = store.remove_rating if reason is not None else _add_rating
                totals = await change(tx, review.provider_id, review.rating)
                await tx.emit(ProviderRated(provider_id=review.provider_id, **asdict(totals)))
            about = {"review_id": review.id, "author_id": review.author_id, "occasion": uuid7()}
            await tx.emit(ReviewRestored(**about) if reason is None else ReviewHidden(**about, reason=reason))
            await record_action(
                tx,
                action="reviews.restore" if reason is None else "reviews.hide",
                actor=staff_id,
                subject=AuditSubject("review", review.id),
                changes={"is_hidden": (reason is None, reason is not None)},
                reason=reason,
            )
            tx.invalidate(*tags)
        return review

    async def _find_tags(self, review_id: UUID) -> list[str]:
        """Return the cache tags of the reviews that a review is among; raise ReviewNotFound when there is none."""
        async with self._db.read() as tx:
            review = await store.find_for_staff(tx, review_id)
        if review is None:
            raise ReviewNotFound(f"There is no review {review_id}.")
        sides = await self._bookings.find_booking_side(booking_id=review.booking_id)
        tags = [reviews_tag(review.provider_id)]
        return tags if sides is None else [*tags, reviews_tag(sides.provider_slug)]

    async def _require_staff(self, staff_id: UUID) -> None:
        """Raise NotPermitted for an account that is not one of the staff. Call it outside of transactions."""
        if not (await self._accounts.get_user(user_id=staff_id)).role.is_staff:
            raise NotPermitted("This is for the staff of this marketplace.")


async def _add_rating(tx: WriteTx, provider_id: UUID, rating: int) -> store.Totals:
    return await store.add_ratings(tx, provider_id, [rating])
