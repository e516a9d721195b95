"""Media alone, on a real database, a folder and real child processes: uploads, renditions, collection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from fairground.contracts.media import (
    Picture,
    PictureDescribed,
    PictureMaintenance,
    PictureReady,
    PictureRefused,
    Pictures,
)
from fairground.kernel.messages import Event
from fairground.modules.media.module import build
from fairground.platform.db.database import Database
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.runner import drain
from fairground.platform.module import Links, Module
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.orphans import OrphanCollector
from fairground.platform.storage.settings import StorageSettings
from tests.support.runtime import make_runtime
from tests.support.storage import MovedClock, folder_store

UPLOAD_MAX_BYTES = 20 * 1024 * 1024


@dataclass
class Studio:
    db: Database
    routes: Routes
    store: FolderStore
    renderer: Renderer
    module: Module
    pictures: Pictures
    maintenance: PictureMaintenance
    collector: OrphanCollector
    clock: MovedClock
    events: list[Event] = field(default_factory=list)

    async def upload(self, owner_id: UUID, content: bytes, *, content_type: str = "image/jpeg") -> Picture:
        """Send a picture by a form, and complete the upload."""
        offer = await self.pictures.offer_upload(owner_id=owner_id, content_type=content_type)
        await self.store.put(offer.form.fields["key"], content)
        return await self.pictures.complete_upload(owner_id=owner_id, picture_id=offer.picture.id)

    async def work(self) -> None:
        """Do every job that is due."""
        await drain(self.db, routes=self.routes)

    async def stored(self, retention: Retention) -> set[str]:
        return {stored.key async for stored in self.store.list_objects(retention)}

    async def everything(self) -> dict[str, set[str]]:
        return {retention.value: await self.stored(retention) for retention in Retention}

    async def collect(self) -> None:
        """Collect as if all that is stored were old."""
        self.clock.ahead = timedelta(days=60)
        await self.collector.collect()

    async def read(self, key: str) -> bytes:
        async with self.store.read(key) as reading:
            return b"".join([chunk async for chunk in reading.chunks])


@asynccontextmanager
async def open_studio(url: str, folder: Path, **image_settings: Any) -> AsyncIterator[Studio]:
    routes, links, clock = Routes(), Links(), MovedClock()
    db = Database(url, outbox=JobOutbox(routes))
    store, renderer = folder_store(folder), Renderer(ImageSettings(**({"renderers": 1} | image_settings)))
    module = build(make_runtime(db, folder, files=store, renderer=renderer), links)
    collector = OrphanCollector(store, referrers=module.referrers, grace_of=StorageSettings().grace_of, clock=clock)
    studio = Studio(
        db, routes, store, renderer, module, links.of(Pictures), links.of(PictureMaintenance), collector, clock
    )

    async def record(event: Event) -> None:
        studio.events.append(event)

    routes.add(module.name, handlers=module.handlers)
    routes.add("listener", handlers={PictureReady: record, PictureDescribed: record, PictureRefused: record})
    async with renderer.running():
        yield studio
    await db.close()
