"""Every SQL statement of the reviews module."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, tuple_, update

from fairground.contracts.reviews import Review, ReviewSide
from fairground.kernel.inputs import TimeCursor
from fairground.modules.reviews.tables import ProviderFiguresRow, ReviewRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among


async def insert_review(tx: WriteTx, review: Review, *, author_id: UUID) -> bool:
    """Insert a review. Return False if its side of the booking has one already."""
    row = review.model_dump() | {"side": review.side.value, "author_id": author_id}
    return await tx.insert_ignore(ReviewRow, [row]) == 1


async def insert_reviews(tx: WriteTx, reviews: Sequence[tuple[Review, UUID]]) -> bool:
    """Insert reviews with their authors. Return False if one exists already, and the caller rolls back."""
    rows = [{**review.model_dump(), "side": review.side.value, "author_id": author} for review, author in reviews]
    return await tx.insert_many(ReviewRow, rows) == len(rows)


async def find_reviewed(tx: ReadTx, booking_ids: Collection[UUID]) -> set[tuple[UUID, ReviewSide]]:
    """Return which sides of the bookings have written a review."""
    written = select(ReviewRow.booking_id, ReviewRow.side).where(among(ReviewRow.booking_id, booking_ids))
    return {(row.booking_id, ReviewSide(row.side)) for row in await tx.all(written)}


async def add_ratings(tx: WriteTx, provider_id: UUID, ratings: Sequence[int]) -> tuple[int, int]:
    """Add ratings by customers to the provider's totals; return the sum and number of all of them."""
    table = ProviderFiguresRow.__table__
    added_values = {"provider_id": provider_id, "rating_sum": sum(ratings), "rating_count": len(ratings)}
    insert = tx.ops.insert(table).values(added_values)
    added = {name: table.c[name] + insert.excluded[name] for name in ("rating_sum", "rating_count")}
    row = await tx.one_or_none(
        insert.on_conflict_do_update(index_elements=["provider_id"], set_=added).returning(
            table.c.rating_sum, table.c.rating_count
        )
    )
    return row.rating_sum, row.rating_count


async def list_reviews_of_booking(tx: ReadTx, booking_id: UUID) -> list[Review]:
    rows = await tx.all(select(ReviewRow).where(ReviewRow.booking_id == booking_id).order_by(ReviewRow.created_at))
    return _reviews(rows)


async def find_review(tx: ReadTx, review_id: UUID) -> Review | None:
    found = _reviews(await tx.all(select(ReviewRow).where(ReviewRow.id == review_id)))
    return found[0] if found else None


async def list_reviews_of_provider(
    tx: ReadTx, provider_id: UUID, *, after: TimeCursor | None, offset: int, limit: int
) -> list[Review]:
    """Return reviews by customers, the newest first, after the cursor if one is given."""
    statement = (
        select(ReviewRow)
        .where(ReviewRow.provider_id == provider_id, ReviewRow.side == ReviewSide.CUSTOMER.value)
        .order_by(ReviewRow.created_at.desc(), ReviewRow.id.desc())
        .offset(offset)
        .limit(limit)
    )
    if after is not None:
        at, review_id = literal(after.at, ReviewRow.created_at.type), literal(after.id, ReviewRow.id.type)
        statement = statement.where(tuple_(ReviewRow.created_at, ReviewRow.id) < tuple_(at, review_id))
    return _reviews(await tx.all(statement))


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
