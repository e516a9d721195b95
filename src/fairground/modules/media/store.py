"""Every SQL statement of the media module."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from fairground.contracts.media import Picture, PictureState, Refusal
from fairground.modules.media.domain import pictures as domain
from fairground.modules.media.tables import OriginalRow, PictureRow, RenditionRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

# Both built once: every picture of a page is asked for, and building them costs as much as asking.
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


@dataclass(frozen=True)
class Original:
    """What a picture is made of, once its file was judged."""

    digest: str
    key: str
    is_rendered: bool


@dataclass(frozen=True)
class KeptPicture:
    picture: Picture
    owner_id: UUID
    upload_key: str | None
    original: Original | None


@dataclass(frozen=True)
class Look:
    """What is known of an original since it was rendered."""

    width_px: int
    height_px: int
    colour: str
    placeholder: str


@dataclass(frozen=True)
class Rendition:
    recipe: str
    key: str
    width_px: int
    height_px: int
    size_bytes: int


async def count_open_uploads(tx: ReadTx, owner_id: UUID, *, lifetime: timedelta) -> int:
    """Return how many forms of an owner can still be sent."""
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


async def find_picture(tx: ReadTx, picture_id: UUID) -> KeptPicture | None:
    row = await tx.one_or_none(_PICTURE, {"picture": picture_id})
    return None if row is None else _kept_picture(row)


async def lock_picture(tx: WriteTx, picture_id: UUID) -> KeptPicture | None:
    """Return a picture that nobody else changes until this transaction ends."""
    await tx.lock(select(PictureRow.id).where(PictureRow.id == picture_id))
    return await find_picture(tx, picture_id)


async def keep_original(tx: WriteTx, *, digest: str, key: str) -> bool:
    """Write down an original, lock it, and return whether it has been rendered already."""
    # An update that changes nothing locks the row: whoever removes the last picture of these bytes waits.
    await tx.upsert(OriginalRow, [{"digest": digest, "key": key}], key=["digest"], update=["key"])
    rendered_at = await tx.scalar(select(OriginalRow.rendered_at).where(OriginalRow.digest == digest))
    return rendered_at is not None


async def accept(tx: WriteTx, picture_id: UUID, *, digest: str, state: PictureState) -> None:
    await _change(tx, picture_id, state=state, upload_key=None, original_digest=digest)


async def mark_ready(tx: WriteTx, picture_id: UUID) -> None:
    await _change(tx, picture_id, state=PictureState.READY)


async def describe_picture(tx: WriteTx, described: Picture) -> None:
    await _change(tx, described.id, alt=described.alt, alt_version=described.alt_version)


async def refuse(tx: WriteTx, picture_id: UUID, refusal: Refusal) -> None:
    await _change(
        tx,
        picture_id,
        state=PictureState.REFUSED,
        upload_key=None,
        original_digest=None,
        refusal_code=refusal.code,
        refusal_detail=refusal.detail,
        refusal_hint=refusal.hint,
    )


async def record_look(tx: WriteTx, digest: str, look: Look) -> None:
    """Say of an original that its first sizes are there."""
    values = {
        "rendered_at": tx.now(),
        "width_px": look.width_px,
        "height_px": look.height_px,
        "colour": look.colour,
        "placeholder": look.placeholder,
    }
    await tx.execute(update(OriginalRow).where(OriginalRow.digest == digest).values(values))


async def record_renditions(tx: WriteTx, digest: str, renditions: Sequence[Rendition]) -> None:
    """Write down what was made of an original. What is there already under a recipe's name stays."""
    await tx.insert_ignore(RenditionRow, [{"original_digest": digest, **vars(each)} for each in renditions])


async def find_rendition(tx: ReadTx, digest: str, recipe: str) -> Rendition | None:
    row = await tx.one_or_none(_RENDITION, {"digest": digest, "named": recipe})
    return None if row is None else Rendition(*row)


async def add_rendition(tx: WriteTx, digest: str, rendition: Rendition) -> None:
    """Write down what was made later of an original, unless that has been forgotten meanwhile."""
    # Locked, so that it is not forgotten in between.
    if await tx.lock(select(OriginalRow.digest).where(OriginalRow.digest == digest)):
        await record_renditions(tx, digest, [rendition])


async def forget_rendition(tx: WriteTx, digest: str, lost: Rendition) -> None:
    """Forget a rendition whose file is gone, unless another was made in its place."""
    mine = (RenditionRow.original_digest == digest, RenditionRow.recipe == lost.recipe, RenditionRow.key == lost.key)
    await tx.execute(delete(RenditionRow).where(*mine))


async def delete_picture(tx: WriteTx, picture_id: UUID) -> None:
    await tx.execute(delete(PictureRow).where(PictureRow.id == picture_id))


async def drop_original_unless_used(tx: WriteTx, digest: str) -> None:
    """Forget an original that is no picture any more, and what was made of it; the collector takes the files."""
    # Locked before it is looked at: whoever brings the same bytes just now either has come first, or finds no row.
    await tx.lock(select(OriginalRow.digest).where(OriginalRow.digest == digest))
    if await tx.scalar(select(exists().where(PictureRow.original_digest == digest))):
        return
    await tx.execute(delete(RenditionRow).where(RenditionRow.original_digest == digest))
    await tx.execute(delete(OriginalRow).where(OriginalRow.digest == digest))


async def delete_leftovers(tx: WriteTx, *, older_than: timedelta) -> int:
    """Forget pictures that never came, and those that were refused; return how many those were."""
    states = [PictureState.AWAITED.value, PictureState.REFUSED.value]
    return await tx.execute(
        delete(PictureRow).where(PictureRow.state.in_(states), PictureRow.created_at < tx.now(-older_than))
    )


async def find_referred(tx: ReadTx, keys: Collection[str]) -> set[str]:
    """Return those of the keys that originals and renditions have."""
    originals = await tx.scalars(select(OriginalRow.key).where(among(OriginalRow.key, keys)))
    renditions = await tx.scalars(select(RenditionRow.key).where(among(RenditionRow.key, keys)))
    return {*originals, *renditions}


async def _change(tx: WriteTx, picture_id: UUID, **values: Any) -> None:
    await tx.execute(update(PictureRow).where(PictureRow.id == picture_id).values(values))


def _kept_picture(row: Any) -> KeptPicture:
    is_ready = row.state == PictureState.READY
    picture = Picture(
        id=row.id,
        state=PictureState(row.state),
        alt=row.alt,
        alt_version=row.alt_version,
        width_px=row.width_px if is_ready else None,
        height_px=row.height_px if is_ready else None,
        colour=row.colour if is_ready else None,
        placeholder=row.placeholder if is_ready else None,
        url=domain.image_url(row.id, row.original_digest) if is_ready else None,
        refusal=_refusal(row),
        created_at=row.created_at,
    )
    original = None
    if row.original_digest is not None:
        original = Original(row.original_digest, row.original_key, is_rendered=row.rendered_at is not None)
    return KeptPicture(picture, row.owner_id, row.upload_key, original)


def _refusal(row: Any) -> Refusal | None:
    if row.refusal_code is None:
        return None
    return Refusal(code=row.refusal_code, detail=row.refusal_detail, hint=row.refusal_hint)


async def find_existing(tx: ReadTx, picture_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the pictures that there are."""
    return set(await tx.scalars(select(PictureRow.id).where(among(PictureRow.id, picture_ids))))


async def count_by_state(tx: ReadTx) -> dict[PictureState, int]:
    rows = await tx.all(select(PictureRow.state, func.count()).group_by(PictureRow.state))
    return {PictureState(state): count for state, count in rows}


async def count_bare(tx: ReadTx) -> int:
    """Return how many originals were rendered, and have nothing that was made of them."""
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
