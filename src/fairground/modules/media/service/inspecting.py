"""How pictures and their files stand, for those who run the installation."""

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from fairground.contracts.media import PicturesReport
from fairground.modules.media import store
from fairground.platform.db.database import Database, ReadTx
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.store import ObjectNotFound, Store

_ListKeys = Callable[[ReadTx, str], Awaitable[list[str]]]


class PictureInspector:
    def __init__(self, db: Database, files: Store) -> None:
        self._db = db
        self._files = files

    async def find_missing(self, *, picture_ids: Collection[UUID]) -> set[UUID]:
        async with self._db.read() as tx:
            return set(picture_ids) - await store.find_existing(tx, picture_ids)

    async def inspect_pictures(self) -> PicturesReport:
        async with self._db.read() as tx:
            by_state, bare = await store.count_by_state(tx), await store.count_bare(tx)
        return PicturesReport(
            by_state=by_state,
            bare=bare,
            lost_originals=await self._count_lost(Retention.ORIGINAL, store.list_original_keys),
            lost_renditions=await self._count_lost(Retention.DERIVATIVE, store.list_rendition_keys),
        )

    async def _count_lost(self, retention: Retention, list_keys: _ListKeys) -> int:
        # Listed as a whole, for a store answers a thousand names as quickly as the question for one.
        stored = {each.key async for each in self._files.list_objects(retention)}
        lost, after = 0, ""
        while True:
            async with self._db.read() as tx:
                keys = await list_keys(tx, after)
            if not keys:
                return lost
            lost += sum([key not in stored and not await self._is_there(key) for key in keys])
            after = keys[-1]

    async def _is_there(self, key: str) -> bool:
        """Look again at a file that has come since the store was listed."""
        try:
            await self._files.head(key)
        except ObjectNotFound:
            return False
        return True
