"""What portraits and galleries share: pictures are media's, and the owner of a provider chooses among their own."""

from typing import ClassVar
from uuid import UUID

from fairground.contracts.media import Picture, Pictures, PictureState
from fairground.contracts.providers import PictureNotUsable, ProviderRef
from fairground.kernel.clock import Clock
from fairground.kernel.messages import Job, Priority, Queue
from fairground.modules.providers.service.access import announce
from fairground.modules.providers.store import profiles
from fairground.platform.db.database import WriteTx


class FollowPicture(Job):
    """Read a picture again after it was chosen: media may have announced it before the choice was stored."""

    topic: ClassVar = "catalog.follow_picture.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    owner_id: UUID
    picture_id: UUID


async def get_usable_picture(pictures: Pictures, picture_id: UUID, *, owner_id: UUID) -> Picture:
    """Return a picture of the owner's; raise PictureNotFound, or PictureNotUsable when it cannot be shown."""
    picture = await pictures.get_picture(owner_id=owner_id, picture_id=picture_id)
    if picture.state in {PictureState.AWAITED, PictureState.REFUSED}:
        raise PictureNotUsable(f"The picture is {picture.state}.")
    return picture


async def announce_pictures(tx: WriteTx, provider: ProviderRef, *, clock: Clock) -> None:
    """Announce a change of what a provider's page shows of its pictures."""
    await profiles.change_profile(tx, provider.id, {"updated_at": clock.now()})
    await announce(tx, provider)
