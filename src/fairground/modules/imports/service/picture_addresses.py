"""Fetches the pictures that rows of an import name by address, and gives them to media like an upload.

Each address is a job, so a slow server delays its own pictures alone. What is fetched is not kept here: the job gives
it to media, whose events say when it can be shown.
"""

import hashlib
import random
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

import structlog

from fairground.contracts.media import PictureReady, PictureRefused
from fairground.kernel.errors import Invalid
from fairground.kernel.messages import Job, Queue
from fairground.modules.imports import store
from fairground.modules.imports.service.picture_placement import PicturePlacement
from fairground.platform.db.database import Database
from fairground.platform.http.outbound.client import OutboundBusy, OutboundClient, OutboundUnavailable
from fairground.platform.jobs.lifecycle import Retry, current_job

# Media looks at the bytes, so a server may call them what it likes, except a page.
_TYPES: Final = ("image/*", "application/octet-stream")
_TIMEOUT_SECONDS: Final = 30.0
# Pictures of one host take turns: a job that finds its host busy comes again after this many seconds.
_TURN_SECONDS: Final = (1.0, 4.0)

log = structlog.get_logger()


class FetchPicture(Job):
    topic: ClassVar = "imports.fetch_picture.v1"
    queue: ClassVar = Queue.PICTURES
    max_attempts: ClassVar = 12  # with the delays between them, about an hour without the server
    picture_id: UUID


class PictureAddresses:
    def __init__(self, *, db: Database, outbound: OutboundClient, placement: PicturePlacement, max_bytes: int) -> None:
        """Take the parts; `max_bytes` is of the largest picture that media takes."""
        self._db = db
        self._outbound = outbound
        self._placement = placement
        self._max_bytes = max_bytes

    async def on_fetch(self, job: FetchPicture) -> None:
        async with self._db.read() as tx:
            each = await store.find_to_fetch(tx, job.picture_id)
        if each is None or each.url is None:
            return
        try:
            fetched = await self._outbound.fetch(
                each.url, max_bytes=self._max_bytes, accept_types=_TYPES, timeout_seconds=_TIMEOUT_SECONDS
            )
            digest = hashlib.sha256(fetched.content).hexdigest()
            async with self._db.write() as tx:
                if not await store.mark_fetched(tx, each, content_digest=digest):
                    return
            await self._placement.hand_over(each, fetched.content)
        except OutboundBusy:
            await self._wait_for_turn(job)
        except OutboundUnavailable as away:
            if not _is_last_attempt():
                raise _retry_of(away) from away
            await self._placement.fail(each, code=away.code, detail=away.detail)
        except Invalid as refusal:
            await self._placement.fail(each, code=refusal.code, detail=refusal.detail)

    async def on_ready(self, event: PictureReady) -> None:
        await self._show(event.picture_id)

    async def on_refused(self, event: PictureRefused) -> None:
        await self._show(event.picture_id)

    async def _show(self, picture_id: UUID) -> None:
        async with self._db.read() as tx:
            each = await store.find_fetched(tx, picture_id)
        if each is not None:
            await self._placement.show_rendered(each)

    async def _wait_for_turn(self, job: FetchPicture) -> None:
        """Come again soon: waiting for others of the same host is no failed attempt."""
        seconds = random.uniform(*_TURN_SECONDS)  # noqa: S311 - not a secret
        async with self._db.write(ends_job=True) as tx:
            await tx.enqueue(job, delay=timedelta(seconds=seconds))


def _is_last_attempt() -> bool:
    job = current_job()
    return job is not None and job.attempt >= job.max_attempts


def _retry_of(away: OutboundUnavailable) -> Exception:
    """Return the error that makes the job come again: when the server says, else with the usual back-off."""
    seconds = away.context.get("retry_after_seconds")
    return Retry(away.detail, after=timedelta(seconds=seconds)) if seconds else away
