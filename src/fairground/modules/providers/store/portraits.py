"""Which picture a provider has chosen, and which one shows. Who changes it holds the lock on the provider."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from fairground.contracts.providers import ProviderStatus
from fairground.modules.providers.tables import PortraitRow, ProviderRow
from fairground.platform.db.database import ReadTx, WriteTx

# Built once: every avatar of a list is asked for, and building costs as much as running.
_AVATAR_SOURCE: Final = (
    select(ProviderRow.business_name, ProviderRow.status, ProviderRow.profile_picture_url, PortraitRow.shown_picture_id)
    .outerjoin(PortraitRow, PortraitRow.provider_id == ProviderRow.id)
    .where(ProviderRow.id == bindparam("provider"))
)


@dataclass(frozen=True)
class Portrait:
    chosen_id: UUID
    shown_id: UUID | None


@dataclass(frozen=True)
class AvatarSource:
    """What an avatar is made of: the portrait, or the name."""

    name: str
    picture_id: UUID | None
    url: str | None
    """The address of a picture that media does not keep, such as a drawing of the demo."""


async def find_portrait(tx: ReadTx, provider_id: UUID) -> Portrait | None:
    own = PortraitRow.provider_id == provider_id
    row = await tx.one_or_none(select(PortraitRow.picture_id, PortraitRow.shown_picture_id).where(own))
    return None if row is None else Portrait(*row)


async def find_avatar_source(tx: ReadTx, provider_id: UUID) -> AvatarSource | None:
    """Return the public portrait, or the name of an approved provider. None when there is neither."""
    row = await tx.one_or_none(_AVATAR_SOURCE, {"provider": provider_id})
    # Owners and staff look at portraits before the approval. A picture can be seen by its id anyway, a name cannot.
    if row is None or (row.status != ProviderStatus.APPROVED and row.shown_picture_id is None):
        return None
    # Without a portrait, the profile may show a picture that media does not keep.
    url = row.profile_picture_url if row.shown_picture_id is None else None
    return AvatarSource(name=row.business_name, picture_id=row.shown_picture_id, url=url)


async def choose_portrait(tx: WriteTx, provider_id: UUID, *, picture_id: UUID) -> None:
    chosen = {"provider_id": provider_id, "picture_id": picture_id}
    await tx.upsert(PortraitRow, [chosen], key=["provider_id"], update=["picture_id"])


async def show_if_chosen(tx: WriteTx, provider_id: UUID, picture_id: UUID, url: str) -> bool:
    """Show a picture. Return False when it is not the one that was chosen, or is shown already."""
    chosen = update(PortraitRow).where(PortraitRow.provider_id == provider_id, PortraitRow.picture_id == picture_id)
    if not await tx.execute(chosen.values(shown_picture_id=picture_id)):
        return False
    is_new = ProviderRow.profile_picture_url.is_distinct_from(url)
    shown = update(ProviderRow).where(ProviderRow.id == provider_id, is_new)
    return await tx.execute(shown.values(profile_picture_url=url)) == 1


async def hide_portrait(tx: WriteTx, provider_id: UUID) -> None:
    """Show none until the chosen one is ready."""
    own = PortraitRow.provider_id == provider_id
    await tx.execute(update(PortraitRow).where(own).values(shown_picture_id=None))
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider_id).values(profile_picture_url=None))


async def forget_portrait(tx: WriteTx, provider_id: UUID) -> None:
    await tx.execute(delete(PortraitRow).where(PortraitRow.provider_id == provider_id))


async def find_chosen(tx: ReadTx, *, owner_id: UUID) -> UUID | None:
    """Return the picture that the owner of a provider has chosen."""
    picture_id: UUID | None = await tx.scalar(
        select(PortraitRow.picture_id)
        .join(ProviderRow, ProviderRow.id == PortraitRow.provider_id)
        .where(ProviderRow.owner_id == owner_id)
    )
    return picture_id
