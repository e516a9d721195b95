"""Every SQL statement of the reviews module."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from fairground.contracts.reviews import Review, ReviewSide, StaffReview
from fairground.kernel.inputs import TimeCursor
from fairground.modules.reviews.tables import ProviderFiguresRow, ReviewRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.paging import is_behind
from fairground.platform.db.types import among


async def insert_review(tx: WriteTx, review: Review, *, author_id: UUID) -> bool:
    """Insert a review. Return False if its side of the booking has one already."""
    row = review.model_dump(exclude={"hidden_reason"}) | {"side": review.side.value, "author_id": author_id}
    return await tx.insert_ignore(ReviewRow, [row]) == 1


async def insert_reviews(tx: WriteTx, reviews: Sequence[tuple[Review, UUID]]) -> bool:
    """Insert reviews with their authors. Return False if one exists already, and the caller rolls back."""
    rows = [
        {**review.model_dump(exclude={"hidden_reason"}), "side": review.side.value, "author_id": author}
        for review, author in reviews
    ]
    return await tx.insert_many(ReviewRow, rows) == len(rows)


async def find_reviewed(tx: ReadTx, booking_ids: Collection[UUID]) -> set[tuple[UUID, ReviewSide]]:
    """Return which sides of the bookings have written a review."""
    written = select(ReviewRow.booking_id, ReviewRow.side).where(among(ReviewRow.booking_id, booking_ids))
    return {(row.booking_id, ReviewSide(row.side)) for row in await tx.all(written)}


@dataclass(frozen=True)
class Totals:
    """What customers gave a provider, and the version of that."""

    rating_sum: int
    rating_count: int
    version: int


async def add_ratings(tx: WriteTx, provider_id: UUID, ratings: Sequence[int]) -> Totals:
    """Add ratings by customers to the provider's totals, and return them."""
    return await _change_totals(
        tx, provider_id, rating_sum=sum(ratings), rating_count=len(ratings), version=len(ratings)
    )


async def remove_rating(tx: WriteTx, provider_id: UUID, rating: int) -> Totals:
    """Take a rating out of the provider's totals, and return them."""
    return await _change_totals(tx, provider_id, rating_sum=-rating, rating_count=-1, version=1)


async def _change_totals(tx: WriteTx, provider_id: UUID, **changes: int) -> Totals:
    table = ProviderFiguresRow.__table__
    insert = tx.ops.insert(table).values({"provider_id": provider_id, **changes})
    changed = {name: table.c[name] + insert.excluded[name] for name in changes}
    row = await tx.one_or_none(
        insert.on_conflict_do_update(index_elements=["provider_id"], set_=changed).returning(
            table.c.rating_sum, table.c.rating_count, table.c.version
        )
    )
    return Totals(*row)


async def list_reviews_of_booking(tx: ReadTx, booking_id: UUID) -> list[Review]:
    rows = await tx.all(select(ReviewRow).where(ReviewRow.booking_id == booking_id).order_by(ReviewRow.created_at))
    return _reviews(rows)


async def find_review(tx: ReadTx, review_id: UUID) -> Review | None:
    found = _reviews(await tx.all(select(ReviewRow).where(ReviewRow.id == review_id)))
    return found[0] if found else None


async def list_reviews_of_provider(
    tx: ReadTx, provider_id: UUID, *, after: TimeCursor | None, offset: int, limit: int
) -> list[Review]:
    """Return shown reviews by customers, the newest first, after the cursor if one is given."""
    statement = (
        select(ReviewRow)
        .where(
            ReviewRow.provider_id == provider_id,
            ReviewRow.side == ReviewSide.CUSTOMER.value,
            ReviewRow.hidden_reason.is_(None),
        )
        .order_by(ReviewRow.created_at.desc(), ReviewRow.id.desc())
        .offset(offset)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(is_behind(ReviewRow.created_at, ReviewRow.id, after))
    return _reviews(await tx.all(statement))


async def list_for_staff(
    tx: ReadTx, *, provider_id: UUID | None, is_hidden: bool | None, after: TimeCursor | None, limit: int
) -> list[StaffReview]:
    """Return reviews by both sides, the newest first."""
    statement = select(ReviewRow).order_by(ReviewRow.created_at.desc(), ReviewRow.id.desc()).limit(limit)
    if provider_id is not None:
        statement = statement.where(ReviewRow.provider_id == provider_id)
    if is_hidden is not None:
        hidden, shown = ReviewRow.hidden_reason.is_not(None), ReviewRow.hidden_reason.is_(None)
        statement = statement.where(hidden if is_hidden else shown)
    if after is not None:
        statement = statement.where(is_behind(ReviewRow.created_at, ReviewRow.id, after))
    return [_staff_review(row) for row in await tx.all(statement)]


async def find_for_staff(tx: ReadTx, review_id: UUID) -> StaffReview | None:
    row = await tx.one_or_none(select(ReviewRow).where(ReviewRow.id == review_id))
    return None if row is None else _staff_review(row)


async def set_hidden(tx: WriteTx, review_id: UUID, *, reason: str | None) -> StaffReview | None:
    """Hide a review for a reason, or restore it without one. Return None when it is hidden, or shown, already."""
    is_other = ReviewRow.hidden_reason.is_(None) if reason is not None else ReviewRow.hidden_reason.is_not(None)
    changed = (
        update(ReviewRow)
        .where(ReviewRow.id == review_id, is_other)
        .values(hidden_reason=reason)
        .returning(*ReviewRow.__table__.c)
    )
    row = await tx.one_or_none(changed)
    return None if row is None else _staff_review(row)


def _staff_review(row: Any) -> StaffReview:
    return StaffReview.model_validate(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented name


async def list_reviewed_by(tx: ReadTx, author_id: UUID) -> list[UUID]:
    """Return the bookings that an author has reviewed."""
    return await tx.scalars(select(ReviewRow.booking_id).where(ReviewRow.author_id == author_id))


async def rename_author(tx: WriteTx, author_id: UUID, *, name: str) -> None:
    await tx.execute(update(ReviewRow).where(ReviewRow.author_id == author_id).values(author_name=name))


async def find_rating_count(tx: ReadTx, provider_id: UUID) -> int:
    """Return the number of reviews by customers from the stored totals, without counting rows."""
    figures = select(ProviderFiguresRow.rating_count).where(ProviderFiguresRow.provider_id == provider_id)
    return await tx.scalar(figures) or 0


def _reviews(rows: Sequence[Any]) -> list[Review]:
    return [Review.model_validate(dict(row._mapping)) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name
