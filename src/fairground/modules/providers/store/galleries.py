"""Which pictures a provider's gallery has. Who changes them holds the lock on the provider."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from fairground.contracts.media import Picture, PictureState
from fairground.contracts.providers import GalleryPicture, OwnGalleryPicture
from fairground.modules.providers.tables import GalleryRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

LOOK: Final = ("url", "width_px", "height_px", "colour", "placeholder")
"""What is known of a picture once it is ready, by the names that media gives it."""
_SHOWN: Final = (GalleryRow.picture_id.label("id"), GalleryRow.alt, *(getattr(GalleryRow, name) for name in LOOK))


async def list_ready(tx: ReadTx, provider_id: UUID) -> list[GalleryPicture]:
    """Return the public pictures in order."""
    ready = select(*_SHOWN).where(GalleryRow.provider_id == provider_id, GalleryRow.url.is_not(None))
    return [GalleryPicture(**row._asdict()) for row in await tx.all(ready.order_by(GalleryRow.position))]


async def list_own(tx: ReadTx, provider_id: UUID) -> list[OwnGalleryPicture]:
    """Return all in order."""
    rows = await tx.all(select(*_SHOWN).where(GalleryRow.provider_id == provider_id).order_by(GalleryRow.position))
    states = (PictureState.PROCESSING if row.url is None else PictureState.READY for row in rows)
    return [OwnGalleryPicture(**row._asdict(), state=state) for row, state in zip(rows, states, strict=True)]


async def list_picture_ids(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the pictures of each provider that are ready, in order."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    ready = (among(GalleryRow.provider_id, provider_ids), GalleryRow.url.is_not(None))
    statement = select(GalleryRow.provider_id, GalleryRow.picture_id).where(*ready)
    for provider_id, picture_id in await tx.all(statement.order_by(GalleryRow.provider_id, GalleryRow.position)):
        found[provider_id].append(picture_id)
    return found


async def append_picture(tx: WriteTx, provider_id: UUID, picture: Picture) -> None:
    row = picture.model_dump(include={"alt", "alt_version", *LOOK})
    position = await _next_position(tx, provider_id)
    await tx.execute(
        insert(GalleryRow).values(provider_id=provider_id, picture_id=picture.id, position=position, **row)
    )


async def remove_picture(tx: WriteTx, provider_id: UUID, picture_id: UUID) -> bool:
    """Return False when the picture is not there."""
    return await tx.execute(delete(GalleryRow).where(*_is(provider_id, picture_id))) == 1


async def order_pictures(tx: WriteTx, provider_id: UUID, picture_ids: Sequence[UUID]) -> None:
    """Put the pictures in this order."""
    # Behind all that there are, so that on the way no two of them are at one position.
    start = await _next_position(tx, provider_id)
    rows = [{"moved_id": picture_id, "to": start + index} for index, picture_id in enumerate(picture_ids)]
    moved = update(GalleryRow).where(*_is(provider_id, bindparam("moved_id"))).values(position=bindparam("to"))
    await tx.execute(moved, rows)


async def show_picture(tx: WriteTx, provider_id: UUID, picture_id: UUID, look: Mapping[str, Any]) -> bool:
    """Show a picture that is ready. Return False when it is not there, or is shown already."""
    unseen = update(GalleryRow).where(*_is(provider_id, picture_id), GalleryRow.url.is_(None))
    return await tx.execute(unseen.values(look)) == 1


async def describe_picture(tx: WriteTx, provider_id: UUID, picture_id: UUID, alt: str, *, version: int) -> bool:
    """Change the text of a picture. Return False when it is not there, or has that text or a later one already."""
    older = update(GalleryRow).where(*_is(provider_id, picture_id), GalleryRow.alt_version < version)
    return await tx.execute(older.values(alt=alt, alt_version=version)) == 1


async def _next_position(tx: ReadTx, provider_id: UUID) -> int:
    last: int | None = await tx.scalar(
        select(func.max(GalleryRow.position)).where(GalleryRow.provider_id == provider_id)
    )
    return 0 if last is None else last + 1


def _is(provider_id: UUID, picture_id: Any) -> tuple[Any, Any]:
    return GalleryRow.provider_id == provider_id, GalleryRow.picture_id == picture_id
