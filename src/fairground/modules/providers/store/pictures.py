"""The pictures that a provider shows: its portrait and its gallery. Callers lock the provider before a change."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, insert, select, union, update

from fairground.contracts.media import Picture, PictureState
from fairground.contracts.providers import GalleryPicture, OwnGalleryPicture, ProviderStatus
from fairground.modules.providers.tables import GalleryRow, HiddenPictureRow, PortraitRow, ProviderRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among


async def find_provider_of_picture(tx: ReadTx, picture_id: UUID) -> UUID | None:
    """Return the provider that has chosen or shows the picture; only its owner could choose it."""
    portrait = select(PortraitRow.provider_id).where(PortraitRow.picture_id == picture_id)
    shown = select(PortraitRow.provider_id).where(PortraitRow.shown_picture_id == picture_id)
    in_gallery = select(GalleryRow.provider_id).where(GalleryRow.picture_id == picture_id)
    provider_id: UUID | None = await tx.scalar(portrait.union(shown, in_gallery))
    return provider_id


async def is_public(tx: ReadTx, picture_id: UUID) -> bool:
    """Return whether a provider has chosen or shows the picture, and staff have not hidden it."""
    if await find_provider_of_picture(tx, picture_id) is None:
        return False
    return await find_hidden_reason(tx, picture_id) is None


async def find_hidden_reason(tx: ReadTx, picture_id: UUID) -> str | None:
    reason: str | None = await tx.scalar(
        select(HiddenPictureRow.reason).where(HiddenPictureRow.picture_id == picture_id)
    )
    return reason


async def hide_picture(tx: WriteTx, provider_id: UUID, picture_id: UUID, *, reason: str) -> bool:
    """Hide a picture. Return False when it is hidden already."""
    hidden = {"picture_id": picture_id, "provider_id": provider_id, "reason": reason}
    return await tx.insert_ignore(HiddenPictureRow, [hidden]) == 1


async def show_picture(tx: WriteTx, provider_id: UUID, picture_id: UUID) -> bool:
    """Stop hiding a picture. Return False when it is not a hidden one of the provider."""
    hidden = (HiddenPictureRow.provider_id == provider_id, HiddenPictureRow.picture_id == picture_id)
    return await tx.execute(delete(HiddenPictureRow).where(*hidden)) == 1


async def list_chosen_pictures(tx: ReadTx, *, after: UUID) -> list[UUID]:
    """Return the next 500 pictures that are portraits or in galleries, in the order of their ids."""
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


@dataclass(frozen=True)
class Portrait:
    chosen_id: UUID
    shown_id: UUID | None


async def find_portrait(tx: ReadTx, provider_id: UUID) -> Portrait | None:
    own = PortraitRow.provider_id == provider_id
    row = await tx.one_or_none(select(PortraitRow.picture_id, PortraitRow.shown_picture_id).where(own))
    return None if row is None else Portrait(*row)


async def find_chosen_portrait(tx: ReadTx, *, owner_id: UUID) -> UUID | None:
    """Return the picture that the owner of a provider has chosen."""
    picture_id: UUID | None = await tx.scalar(
        select(PortraitRow.picture_id)
        .join(ProviderRow, ProviderRow.id == PortraitRow.provider_id)
        .where(ProviderRow.owner_id == owner_id)
    )
    return picture_id


async def choose_portrait(tx: WriteTx, provider_id: UUID, *, picture_id: UUID) -> None:
    chosen = {"provider_id": provider_id, "picture_id": picture_id}
    await tx.upsert(PortraitRow, [chosen], key=["provider_id"], update=["picture_id"])


async def show_portrait_if_chosen(tx: WriteTx, provider_id: UUID, picture_id: UUID, url: str) -> bool:
    """Show a picture. Return False when it is not the one that was chosen, is shown already, or is hidden by staff."""
    own = PortraitRow.provider_id == provider_id
    chosen = update(PortraitRow).where(own, PortraitRow.picture_id == picture_id, _is_shown(picture_id))
    if not await tx.execute(chosen.values(shown_picture_id=picture_id)):
        return False
    is_new = ProviderRow.profile_picture_url.is_distinct_from(url)
    shown = update(ProviderRow).where(ProviderRow.id == provider_id, is_new)
    return await tx.execute(shown.values(profile_picture_url=url)) == 1


async def hide_portrait(tx: WriteTx, provider_id: UUID) -> None:
    """Show no portrait until the chosen one is ready."""
    own = PortraitRow.provider_id == provider_id
    await tx.execute(update(PortraitRow).where(own).values(shown_picture_id=None))
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider_id).values(profile_picture_url=None))


async def forget_portrait(tx: WriteTx, provider_id: UUID) -> None:
    await tx.execute(delete(PortraitRow).where(PortraitRow.provider_id == provider_id))


# Built once: a list requests an avatar for each provider, and building the statement costs as much as running it.
_AVATAR_SOURCE: Final = (
    select(ProviderRow.business_name, ProviderRow.status, ProviderRow.profile_picture_url, PortraitRow.shown_picture_id)
    .outerjoin(PortraitRow, PortraitRow.provider_id == ProviderRow.id)
    .where(ProviderRow.id == bindparam("provider"))
)


@dataclass(frozen=True)
class AvatarSource:
    """The portrait or the name from which media makes an avatar."""

    name: str
    picture_id: UUID | None
    url: str | None
    """The address of a picture that media does not keep, such as a drawing of the demo."""


async def find_avatar_source(tx: ReadTx, provider_id: UUID) -> AvatarSource | None:
    """Return the portrait of a provider in any state, or the name of an approved one; None when there is neither."""
    row = await tx.one_or_none(_AVATAR_SOURCE, {"provider": provider_id})
    # Owners and staff see portraits before the approval. Anyone can see a picture by its id, but not a name.
    if row is None or (row.status != ProviderStatus.APPROVED and row.shown_picture_id is None):
        return None
    # Without a portrait, the profile may show a picture that media does not keep.
    url = row.profile_picture_url if row.shown_picture_id is None else None
    return AvatarSource(name=row.business_name, picture_id=row.shown_picture_id, url=url)


READY_FIELDS: Final = ("url", "width_px", "height_px", "colour", "placeholder")
"""The fields of media's `Picture` that a gallery copies once the picture is ready."""
_GALLERY_COLUMNS: Final = (
    GalleryRow.picture_id.label("id"),
    GalleryRow.alt,
    *(getattr(GalleryRow, name) for name in READY_FIELDS),
)


def _is_shown(picture_id: Any) -> ColumnElement[bool]:
    """Return whether staff have not hidden a picture."""
    return ~exists().where(HiddenPictureRow.picture_id == picture_id)


async def list_gallery(tx: ReadTx, provider_id: UUID) -> list[GalleryPicture]:
    """Return the ready pictures in order, without those that staff have hidden."""
    own = GalleryRow.provider_id == provider_id
    ready = select(*_GALLERY_COLUMNS).where(own, GalleryRow.url.is_not(None), _is_shown(GalleryRow.picture_id))
    return [GalleryPicture(**row._asdict()) for row in await tx.all(ready.order_by(GalleryRow.position))]


async def list_own_gallery(tx: ReadTx, provider_id: UUID) -> list[OwnGalleryPicture]:
    """Return all pictures in order."""
    own = (
        select(*_GALLERY_COLUMNS, HiddenPictureRow.reason.label("hidden_reason"))
        .outerjoin(HiddenPictureRow, HiddenPictureRow.picture_id == GalleryRow.picture_id)
        .where(GalleryRow.provider_id == provider_id)
    )
    rows = await tx.all(own.order_by(GalleryRow.position))
    states = (PictureState.PROCESSING if row.url is None else PictureState.READY for row in rows)
    return [OwnGalleryPicture(**row._asdict(), state=state) for row, state in zip(rows, states, strict=True)]


async def list_gallery_ids(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the ready pictures of each provider in order, without those that staff have hidden."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    own = among(GalleryRow.provider_id, provider_ids)
    ready = (own, GalleryRow.url.is_not(None), _is_shown(GalleryRow.picture_id))
    statement = select(GalleryRow.provider_id, GalleryRow.picture_id).where(*ready)
    for provider_id, picture_id in await tx.all(statement.order_by(GalleryRow.provider_id, GalleryRow.position)):
        found[provider_id].append(picture_id)
    return found


async def append_to_gallery(tx: WriteTx, provider_id: UUID, picture: Picture) -> None:
    row = picture.model_dump(include={"alt", "alt_version", *READY_FIELDS})
    position = await _next_position(tx, provider_id)
    await tx.execute(
        insert(GalleryRow).values(provider_id=provider_id, picture_id=picture.id, position=position, **row)
    )


async def remove_from_gallery(tx: WriteTx, provider_id: UUID, picture_id: UUID) -> bool:
    """Remove a picture. Return False when it is not there."""
    return await tx.execute(delete(GalleryRow).where(*_is(provider_id, picture_id))) == 1


async def order_gallery(tx: WriteTx, provider_id: UUID, picture_ids: Sequence[UUID]) -> None:
    """Put the pictures in this order."""
    # The new positions follow all old ones, so no two pictures share a position on the way.
    start = await _next_position(tx, provider_id)
    rows = [{"moved_id": picture_id, "to": start + index} for index, picture_id in enumerate(picture_ids)]
    moved = update(GalleryRow).where(*_is(provider_id, bindparam("moved_id"))).values(position=bindparam("to"))
    await tx.execute(moved, rows)


async def show_in_gallery(tx: WriteTx, provider_id: UUID, picture_id: UUID, fields: Mapping[str, Any]) -> bool:
    """Show a picture by its READY_FIELDS. Return False when it is not there, or is shown already."""
    unseen = update(GalleryRow).where(*_is(provider_id, picture_id), GalleryRow.url.is_(None))
    return await tx.execute(unseen.values(fields)) == 1


async def describe_in_gallery(tx: WriteTx, provider_id: UUID, picture_id: UUID, alt: str, *, version: int) -> bool:
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
