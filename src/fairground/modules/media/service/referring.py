"""Which stored files media refers to: what the collector must leave."""

from collections.abc import Collection, Sequence

from fairground.modules.media import store
from fairground.platform.db.database import Database


class MediaReferrer:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def find_referred(self, keys: Sequence[str]) -> Collection[str]:
        async with self._db.read() as tx:
            return await store.find_referred(tx, keys)
