"""What portraits and galleries share: pictures are media's, and the owner of a provider chooses among their own."""

from typing import ClassVar
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.catalog import PictureNotUsable, ProviderRef
from fairground.contracts.media import Picture, Pictures, PictureState
from fairground.kernel.clock import Clock
from fairground.kernel.messages import Job, Priority, Queue
from fairground.modules.catalog.service.base import CatalogBase
from fairground.modules.catalog.settings import CatalogSettings
from fairground.modules.catalog.store import profiles
from fairground.modules.catalog.store.search.engine import SearchEngine
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals


class FollowPicture(Job):
    """Show a picture as it is after it was chosen: what media told just before that, nobody here could know of."""

    topic: ClassVar = "catalog.follow_picture.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    owner_id: UUID
    picture_id: UUID


class PictureBase(CatalogBase):
    def __init__(
        self,
        *,
        pictures: Pictures,
        db: Database,
        engine: SearchEngine,
        accounts: Accounts,
        verticals: Verticals,
        clock: Clock,
        settings: CatalogSettings,
    ) -> None:
        super().__init__(db=db, engine=engine, accounts=accounts, verticals=verticals, clock=clock, settings=settings)
        self._pictures = pictures

    async def _get_usable_picture(self, picture_id: UUID, *, owner_id: UUID) -> Picture:
        """Return a picture of the owner's; raise PictureNotFound, or PictureNotUsable when there will be no look."""
        picture = await self._pictures.get_picture(owner_id=owner_id, picture_id=picture_id)
        if picture.state in {PictureState.AWAITED, PictureState.REFUSED}:
            raise PictureNotUsable(f"The picture is {picture.state}.")
        return picture

    async def _page_changed(self, tx: WriteTx, provider: ProviderRef) -> None:
        self._touch(tx, provider)
        await profiles.change_profile(tx, provider.id, {"updated_at": self._clock.now()})
