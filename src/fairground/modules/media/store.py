"""Every SQL statement of the media module."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from fairground.contracts.media import Picture, PictureState, Refusal
from fairground.modules.media.domain import ImageProperties, Original, PictureRecord, Rendition, image_url
from fairground.modules.media.tables import OriginalRow, PictureRow, RenditionRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

# Both are built once: every picture of a page runs them, and building costs as much as running.
_PICTURE: Final = (
    select(
        PictureRow.id,
        PictureRow.owner_id,
        PictureRow.state,
        PictureRow.alt,
        PictureRow.alt_version,
        PictureRow.upload_key,
        PictureRow.refusal_code,
        PictureRow.refusal_detail,
        PictureRow.refusal_hint,
        PictureRow.created_at,
        PictureRow.original_digest,
        OriginalRow.key.label("original_key"),
        OriginalRow.rendered_at,
        OriginalRow.width_px,
        OriginalRow.height_px,
        OriginalRow.colour,
        OriginalRow.placeholder,
    )
    .outerjoin(OriginalRow, OriginalRow.digest == PictureRow.original_digest)
    .where(PictureRow.id == bindparam("picture"))
)
_RENDITION: Final = select(
    RenditionRow.recipe, RenditionRow.key, RenditionRow.width_px, RenditionRow.height_px, RenditionRow.size_bytes
).where(RenditionRow.original_digest == bindparam("digest"), RenditionRow.recipe == bindparam("named"))


class _PictureColumns(NamedTuple):
    """A row of `_PICTURE`, in its order."""

    id: UUID
    owner_id: UUID
    state: str
    alt: str
    alt_version: int
    upload_key: str | None
    refusal_code: str | None
    refusal_detail: str | None
    refusal_hint: str | None
    created_at: datetime
    original_digest: str | None
    original_key: str | None
    rendered_at: datetime | None
    width_px: int | None
    height_px: int | None
    colour: str | None
    placeholder: str | None


async def count_open_uploads(tx: ReadTx, owner_id: UUID, *, lifetime: timedelta) -> int:
    """Return the number of an owner's forms that can still be sent."""
    count: int = await tx.scalar(
        select(func.count())
        .select_from(PictureRow)
        .where(
            PictureRow.owner_id == owner_id,
            PictureRow.state == PictureState.AWAITED,
            PictureRow.created_at > tx.now(-lifetime),
        )
    )
    return count


async def insert_picture(
    tx: WriteTx, picture: Picture, *, owner_id: UUID, upload_key: str | None = None, digest: str | None = None
) -> None:
    row = {
        "id": picture.id,
        "owner_id": owner_id,
        "state": picture.state.value,
        "alt": picture.alt,
        "alt_version": picture.alt_version,
        "upload_key": upload_key,
        "original_digest": digest,
        "created_at": picture.created_at,
    }
    await tx.execute(tx.ops.insert(PictureRow.__table__).values(row))


async def find_picture(tx: ReadTx, picture_id: UUID) -> PictureRecord | None:
    row = await tx.one_or_none(_PICTURE, {"picture": picture_id})
    return None if row is None else _record(_PictureColumns(*row))


async def lock_picture(tx: WriteTx, picture_id: UUID) -> PictureRecord | None:
    """Return a picture, and keep other transactions from changing it until this one ends."""
    await tx.lock(select(PictureRow.id).where(PictureRow.id == picture_id))
    return await find_picture(tx, picture_id)


async def save_original(tx: WriteTx, *, digest: str, key: str) -> bool:
    """Insert an original unless it is there, lock it, and return whether it has been rendered already."""
    # An update that changes nothing locks the row: a transaction that deletes the last picture of these bytes waits.
    await tx.upsert(OriginalRow, [{"digest": digest, "key": key}], key=["digest"], update=["key"])
    rendered_at = await tx.scalar(select(OriginalRow.rendered_at).where(OriginalRow.digest == digest))
    return rendered_at is not None


async def accept_picture(tx: WriteTx, picture_id: UUID, *, digest: str, state: PictureState) -> None:
    await _change_picture(tx, picture_id, state=state, upload_key=None, original_digest=digest)


async def mark_ready(tx: WriteTx, picture_id: UUID) -> None:
    await _change_picture(tx, picture_id, state=PictureState.READY)


async def describe_picture(tx: WriteTx, described: Picture) -> None:
    await _change_picture(tx, described.id, alt=described.alt, alt_version=described.alt_version)


async def change_owner(tx: WriteTx, owner_id: UUID, *, to: UUID) -> None:
    await tx.execute(update(PictureRow).where(PictureRow.owner_id == owner_id).values(owner_id=to))


async def refuse_picture(tx: WriteTx, picture_id: UUID, refusal: Refusal) -> None:
    await _change_picture(
        tx,
        picture_id,
        state=PictureState.REFUSED,
        upload_key=None,
        original_digest=None,
        refusal_code=refusal.code,
        refusal_detail=refusal.detail,
        refusal_hint=refusal.hint,
    )


async def record_properties(tx: WriteTx, digest: str, properties: ImageProperties) -> None:
    """Mark an original as rendered, with what was learnt of it."""
    values = {
        "rendered_at": tx.now(),
        "width_px": properties.width_px,
        "height_px": properties.height_px,
        "colour": properties.colour,
        "placeholder": properties.placeholder,
    }
    await tx.execute(update(OriginalRow).where(OriginalRow.digest == digest).values(values))


async def insert_renditions(tx: WriteTx, digest: str, renditions: Sequence[Rendition]) -> None:
    """Insert renditions of an original. One that is there already under a recipe's name stays."""
    await tx.insert_ignore(RenditionRow, [{"original_digest": digest, **vars(each)} for each in renditions])


async def find_rendition(tx: ReadTx, digest: str, recipe: str) -> Rendition | None:
    row = await tx.one_or_none(_RENDITION, {"digest": digest, "named": recipe})
    return None if row is None else Rendition(*row)


async def add_rendition(tx: WriteTx, digest: str, rendition: Rendition) -> None:
    """Insert a rendition that was made later, unless its original has been deleted meanwhile."""
    # The lock keeps the original from being deleted in between.
    if await tx.lock(select(OriginalRow.digest).where(OriginalRow.digest == digest)):
        await insert_renditions(tx, digest, [rendition])


async def delete_lost_rendition(tx: WriteTx, digest: str, lost: Rendition) -> None:
    """Delete a rendition whose file is gone, unless another was made in its place."""
    mine = (RenditionRow.original_digest == digest, RenditionRow.recipe == lost.recipe, RenditionRow.key == lost.key)
    await tx.execute(delete(RenditionRow).where(*mine))


async def delete_picture(tx: WriteTx, picture_id: UUID) -> None:
    await tx.execute(delete(PictureRow).where(PictureRow.id == picture_id))


async def delete_original_unless_used(tx: WriteTx, digest: str) -> None:
    """Delete an original that no picture uses, with its renditions; the orphan collector takes the files."""
    # Locked before the question: a concurrent upload of the same bytes has either come first, or finds no row.
    await tx.lock(select(OriginalRow.digest).where(OriginalRow.digest == digest))
    if await tx.scalar(select(exists().where(PictureRow.original_digest == digest))):
        return
    await tx.execute(delete(RenditionRow).where(RenditionRow.original_digest == digest))
    await tx.execute(delete(OriginalRow).where(OriginalRow.digest == digest))


async def delete_abandoned_pictures(tx: WriteTx, *, older_than: timedelta) -> int:
    """Delete pictures whose file never came, and refused ones; return their number."""
    states = [PictureState.AWAITED.value, PictureState.REFUSED.value]
    return await tx.execute(
        delete(PictureRow).where(PictureRow.state.in_(states), PictureRow.created_at < tx.now(-older_than))
    )


async def find_referred(tx: ReadTx, keys: Collection[str]) -> set[str]:
    """Return those of the keys that originals and renditions have."""
    originals = await tx.scalars(select(OriginalRow.key).where(among(OriginalRow.key, keys)))
    renditions = await tx.scalars(select(RenditionRow.key).where(among(RenditionRow.key, keys)))
    return {*originals, *renditions}


async def find_existing(tx: ReadTx, picture_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the pictures that exist."""
    return set(await tx.scalars(select(PictureRow.id).where(among(PictureRow.id, picture_ids))))


async def count_by_state(tx: ReadTx) -> dict[PictureState, int]:
    rows = await tx.all(select(PictureRow.state, func.count()).group_by(PictureRow.state))
    return {PictureState(state): count for state, count in rows}


async def count_bare(tx: ReadTx) -> int:
    """Return the number of originals that were rendered and have no rendition left."""
    has_any = exists().where(RenditionRow.original_digest == OriginalRow.digest)
    bare = select(func.count()).select_from(OriginalRow).where(OriginalRow.rendered_at.is_not(None), ~has_any)
    count: int = await tx.scalar(bare)
    return count


async def list_original_keys(tx: ReadTx, after: str) -> list[str]:
    return await _list_keys(tx, OriginalRow.key, after)


async def list_rendition_keys(tx: ReadTx, after: str) -> list[str]:
    return await _list_keys(tx, RenditionRow.key, after)


async def _list_keys(tx: ReadTx, key: InstrumentedAttribute[str], after: str) -> list[str]:
    """Return the next thousand keys in the database's own order."""
    return await tx.scalars(select(key).where(key > after).distinct().order_by(key).limit(1_000))


async def _change_picture(tx: WriteTx, picture_id: UUID, **values: object) -> None:
    await tx.execute(update(PictureRow).where(PictureRow.id == picture_id).values(values))


def _record(row: _PictureColumns) -> PictureRecord:
    digest, is_ready = row.original_digest, row.state == PictureState.READY
    picture = Picture(
        id=row.id,
        state=PictureState(row.state),
        alt=row.alt,
        alt_version=row.alt_version,
        width_px=row.width_px if is_ready else None,
        height_px=row.height_px if is_ready else None,
        colour=row.colour if is_ready else None,
        placeholder=row.placeholder if is_ready else None,
        url=image_url(row.id, digest) if is_ready and digest is not None else None,
        refusal=_refusal(row),
        created_at=row.created_at,
    )
    original = None
    if digest is not None and row.original_key is not None:
        original = Original(digest, row.original_key, is_rendered=row.rendered_at is not None)
    return PictureRecord(picture, row.owner_id, row.upload_key, original)


def _refusal(row: _PictureColumns) -> Refusal | None:
    if row.refusal_code is None:
        return None
    return Refusal(code=row.refusal_code, detail=row.refusal_detail or "", hint=row.refusal_hint or "")
