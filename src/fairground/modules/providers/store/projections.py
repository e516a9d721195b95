"""Figures of later modules: each write keeps the newest, so late and double delivery change nothing.

The functions return whether the figure was newer.
"""

from uuid import UUID

from sqlalchemy import update

from fairground.modules.providers.tables import ProviderRow
from fairground.platform.db.database import WriteTx


async def raise_book_count(tx: WriteTx, provider_id: UUID, *, book_count: int) -> bool:
    older = (ProviderRow.id == provider_id) & (ProviderRow.book_count < book_count)
    return await tx.execute(update(ProviderRow).where(older).values(book_count=book_count)) == 1


async def raise_rating(tx: WriteTx, provider_id: UUID, *, rating_sum: int, rating_count: int) -> bool:
    older = (ProviderRow.id == provider_id) & (ProviderRow.rating_count < rating_count)
    figures = {"rating_sum": rating_sum, "rating_count": rating_count, "rating_avg": rating_sum / rating_count}
    return await tx.execute(update(ProviderRow).where(older).values(**figures)) == 1


async def set_has_hours(tx: WriteTx, provider_id: UUID, *, has_hours: bool, version: int) -> bool:
    older = (ProviderRow.id == provider_id) & (ProviderRow.hours_version < version)
    return await tx.execute(update(ProviderRow).where(older).values(has_hours=has_hours, hours_version=version)) == 1
