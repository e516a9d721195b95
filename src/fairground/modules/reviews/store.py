"""Every SQL statement of the reviews module."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, tuple_

from fairground.contracts.reviews import ProviderRated, Review, ReviewSide
from fairground.kernel.inputs import TimeCursor
from fairground.modules.reviews.tables import ProviderFiguresRow, ReviewRow
from fairground.platform.db.database import ReadTx, WriteTx


async def insert_review(tx: WriteTx, review: Review, *, author_id: UUID) -> bool:
    """Insert a review. Return False if its side of the booking has one already."""
    row = review.model_dump() | {"side": review.side.value, "author_id": author_id}
    return await tx.insert_ignore(ReviewRow, [row]) == 1


async def add_rating(tx: WriteTx, review: Review) -> ProviderRated:
    """Add a customer's rating to the provider's totals and return the new ones."""
    table = ProviderFiguresRow.__table__
    insert = tx.ops.insert(table).values(provider_id=review.provider_id, rating_sum=review.rating, rating_count=1)
    added = {name: table.c[name] + insert.excluded[name] for name in ("rating_sum", "rating_count")}
    row = await tx.one_or_none(
        insert.on_conflict_do_update(index_elements=["provider_id"], set_=added).returning(
            table.c.rating_sum, table.c.rating_count
        )
    )
    return ProviderRated(provider_id=review.provider_id, rating_sum=row.rating_sum, rating_count=row.rating_count)


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


async def find_rating_count(tx: ReadTx, provider_id: UUID) -> int:
    """Return the number of reviews by customers from the stored totals, without counting rows."""
    figures = select(ProviderFiguresRow.rating_count).where(ProviderFiguresRow.provider_id == provider_id)
    return await tx.scalar(figures) or 0


def _reviews(rows: Sequence[Any]) -> list[Review]:
    return [Review.model_validate(dict(row._mapping)) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name
