"""Whose picture it is, whatever it was chosen for."""

from uuid import UUID

from sqlalchemy import func, select, union

from fairground.modules.providers.tables import GalleryRow, PortraitRow, ProviderRow
from fairground.platform.db.database import ReadTx


async def find_provider_with(tx: ReadTx, picture_id: UUID) -> UUID | None:
    """Return the provider that has chosen or shows the picture; it is one, for only its owner could choose it."""
    portrait = select(PortraitRow.provider_id).where(PortraitRow.picture_id == picture_id)
    shown = select(PortraitRow.provider_id).where(PortraitRow.shown_picture_id == picture_id)
    in_gallery = select(GalleryRow.provider_id).where(GalleryRow.picture_id == picture_id)
    provider_id: UUID | None = await tx.scalar(portrait.union(shown, in_gallery))
    return provider_id


async def list_chosen(tx: ReadTx, *, after: UUID) -> list[UUID]:
    """Return the next 500 pictures that were chosen for anything, in the order of their ids."""
    chosen = union(
        select(PortraitRow.picture_id),
        select(PortraitRow.shown_picture_id),
        select(GalleryRow.picture_id),
    ).subquery()
    picture_id = chosen.c.picture_id
    return await tx.scalars(select(picture_id).where(picture_id > after).order_by(picture_id).limit(500))


async def count_data_addresses(tx: ReadTx) -> int:
    """Return the number of `data:` URLs where the address of a picture belongs."""
    columns = (ProviderRow.profile_picture_url, GalleryRow.url)
    return sum([await tx.scalar(select(func.count()).where(column.ilike("data:%"))) for column in columns])
