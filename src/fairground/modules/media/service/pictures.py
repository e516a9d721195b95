"""Pictures, as the contract promises them."""

import contextlib
import io
from datetime import datetime, timedelta
from typing import BinaryIO, Final
from uuid import UUID

import structlog

from fairground.contracts.media import (
    Picture,
    PictureDeleted,
    PictureDescribed,
    PictureForm,
    PictureRefused,
    PictureState,
    Refusal,
    TooManyOpenUploads,
    TooManyUploads,
    UploadOffer,
)
from fairground.kernel.errors import DomainError, Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.media import store
from fairground.modules.media.domain import pictures as domain
from fairground.modules.media.gateways.clamd import PictureInfected
from fairground.modules.media.service.intake import Intake, TakenFile
from fairground.modules.media.service.jobs import DropLeftovers, RenderPicture
from fairground.modules.media.service.telling import ready
from fairground.modules.media.settings import MediaSettings
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.refusals import PictureTypeRefused
from fairground.platform.images.stats import PictureStats
from fairground.platform.ratelimit import Limit, RateLimiter
from fairground.platform.storage.keys import new_upload_key
from fairground.platform.storage.store import ObjectNotFound, Store
from fairground.platform.storage.upload_forms import UploadMissing

log = structlog.get_logger()

_HOUR: Final = timedelta(hours=1)
_TAKEN_TYPES: Final = tuple(each.media_type for each in PictureFormat)


class PictureService:
    def __init__(
        self,
        *,
        db: Database,
        files: Store,
        limiter: RateLimiter,
        intake: Intake,
        max_bytes: int,
        settings: MediaSettings,
        stats: PictureStats,
    ) -> None:
        self._db = db
        self._files = files
        self._limiter = limiter
        self._intake = intake
        self._settings = settings
        self._stats = stats
        self.max_bytes = max_bytes
        count = settings.uploads_per_hour
        self._limit = Limit("media.upload", burst=count, interval=_HOUR / count)

    async def offer_upload(self, *, owner_id: UUID, content_type: str, alt: str = "") -> UploadOffer:
        alt = domain.check_alt(alt)
        if content_type not in _TAKEN_TYPES:
            raise PictureTypeRefused(f"Files of the type {content_type[:80]!r} are not taken.")
        await self.admit(owner_id)
        lifetime = self._settings.form_lifetime
        form = self._files.offer_upload(
            new_upload_key(content_type=content_type), max_bytes=self.max_bytes, lifetime=lifetime
        )
        async with self._db.write() as tx:
            if await store.count_open_uploads(tx, owner_id, lifetime=lifetime) >= self._settings.open_uploads:
                raise TooManyOpenUploads(f"You have begun {self._settings.open_uploads} uploads already.")
            picture = _new(uuid7(), PictureState.AWAITED, alt=alt, at=await tx.current_time())
            await store.insert_picture(tx, picture, owner_id=owner_id, upload_key=form.key)
        told = PictureForm(url=form.url, fields=form.fields, max_bytes=form.max_bytes, expires_at=form.expires_at)
        return UploadOffer(picture=picture, form=told)

    async def admit(self, owner_id: UUID) -> None:
        """Count a picture that is about to be brought; raise TooManyUploads when there were too many."""
        wait_seconds = await self._limiter.take(self._limit, key=str(owner_id))
        if wait_seconds:
            self._stats.brought[TooManyUploads.code] += 1
            raise TooManyUploads("You have brought too many pictures.", retry_after_seconds=wait_seconds)

    async def complete_upload(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        awaited = await self._get(owner_id, picture_id)
        if awaited.upload_key is None:
            return awaited.picture
        with self._stats.bringing():
            return await self._complete(owner_id, picture_id, upload_key=awaited.upload_key)

    async def take_file(self, *, owner_id: UUID, file: BinaryIO, alt: str) -> Picture:
        """Take a picture that came without a form of ours. Nothing is kept of one that is refused.

        Raises:
            AltInvalid: As `offer_upload` says.
            Invalid: The file is refused, with a code that says why.
        """
        return await self._take(uuid7(), owner_id=owner_id, file=file, alt=alt)

    async def bring_picture(self, *, picture_id: UUID, owner_id: UUID, content: bytes, alt: str) -> Picture:
        async with self._db.read() as tx:
            kept = await store.find_picture(tx, picture_id)
        if kept is None:
            return await self._take(picture_id, owner_id=owner_id, file=io.BytesIO(content), alt=alt)
        if kept.owner_id != owner_id:
            raise domain.not_found()
        return kept.picture

    async def get_picture(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        return (await self._get(owner_id, picture_id)).picture

    async def describe_picture(self, *, owner_id: UUID, picture_id: UUID, alt: str) -> Picture:
        alt = domain.check_alt(alt)
        async with self._db.write() as tx:
            kept = await store.lock_picture(tx, picture_id)
            if kept is None or kept.owner_id != owner_id:
                raise domain.not_found()
            if kept.picture.alt == alt:
                return kept.picture
            described = kept.picture.model_copy(update={"alt": alt, "alt_version": kept.picture.alt_version + 1})
            await store.describe_picture(tx, described)
            version = described.alt_version
            await tx.emit(PictureDescribed(picture_id=picture_id, owner_id=owner_id, alt=alt, alt_version=version))
        return described

    async def delete_picture(self, *, owner_id: UUID, picture_id: UUID) -> None:
        async with self._db.write() as tx:
            kept = await store.lock_picture(tx, picture_id)
            if kept is None or kept.owner_id != owner_id:
                return
            await store.delete_picture(tx, picture_id)
            await tx.emit(PictureDeleted(picture_id=picture_id, owner_id=owner_id))
            if kept.original is not None:
                await store.drop_original_unless_used(tx, kept.original.digest)
        if kept.upload_key is not None:
            await self._clear(kept.upload_key)

    async def on_drop_leftovers(self, _job: DropLeftovers) -> None:
        async with self._db.write(ends_job=True) as tx:
            await store.delete_leftovers(tx, older_than=self._settings.leftover_lifetime)

    async def _get(self, owner_id: UUID, picture_id: UUID) -> store.KeptPicture:
        async with self._db.read() as tx:
            kept = await store.find_picture(tx, picture_id)
        if kept is None or kept.owner_id != owner_id:
            raise domain.not_found()
        return kept

    async def _take(self, picture_id: UUID, *, owner_id: UUID, file: BinaryIO, alt: str) -> Picture:
        with self._stats.bringing():
            alt = domain.check_alt(alt)
            taken = await self._intake.take(file)
        async with self._db.write() as tx:
            state = await self._keep(tx, taken)
            picture = _new(picture_id, state, alt=alt, at=await tx.current_time())
            await store.insert_picture(tx, picture, owner_id=owner_id, digest=taken.digest)
            return await self._follow_up(tx, picture.id)

    async def _complete(self, owner_id: UUID, picture_id: UUID, *, upload_key: str) -> Picture:
        try:
            taken = await self._intake.take_uploaded(upload_key)
        except ObjectNotFound as missing:
            picture = await self.get_picture(owner_id=owner_id, picture_id=picture_id)
            if picture.state is PictureState.AWAITED:
                raise UploadMissing("No file has been uploaded with this form.") from missing
            # Somebody else has completed it at the same moment.
            return picture
        except Invalid as refusal:
            await self._refuse(picture_id, owner_id, refusal)
            # What harms stays in quarantine, where operators may look at it until the collector comes.
            if not isinstance(refusal, PictureInfected):
                await self._clear(upload_key)
            raise
        picture = await self._accept(picture_id, owner_id, taken)
        await self._clear(upload_key)
        return picture

    async def _accept(self, picture_id: UUID, owner_id: UUID, taken: TakenFile) -> Picture:
        async with self._db.write() as tx:
            kept = await store.lock_picture(tx, picture_id)
            if kept is None or kept.owner_id != owner_id:
                raise domain.not_found()
            if kept.picture.state is not PictureState.AWAITED:
                return kept.picture
            state = await self._keep(tx, taken)
            await store.accept(tx, picture_id, digest=taken.digest, state=state)
            return await self._follow_up(tx, picture_id)

    async def _keep(self, tx: WriteTx, taken: TakenFile) -> PictureState:
        """Write down the original, and return the state of a picture that is it."""
        is_rendered = await store.keep_original(tx, digest=taken.digest, key=taken.key)
        return PictureState.READY if is_rendered else PictureState.PROCESSING

    async def _follow_up(self, tx: WriteTx, picture_id: UUID) -> Picture:
        """Have a picture's sizes made, or tell that they are there: the same bytes were brought before."""
        kept = await store.find_picture(tx, picture_id)
        if kept is None:
            raise domain.not_found()
        if kept.picture.state is PictureState.READY:
            await tx.emit(ready(kept))
        else:
            await tx.enqueue(RenderPicture(picture_id=picture_id))
        return kept.picture

    async def _refuse(self, picture_id: UUID, owner_id: UUID, error: Invalid) -> None:
        async with self._db.write() as tx:
            kept = await store.lock_picture(tx, picture_id)
            if kept is None or kept.picture.state is not PictureState.AWAITED:
                return
            await store.refuse(tx, picture_id, Refusal(code=error.code, detail=error.detail, hint=error.hint))
            await tx.emit(PictureRefused(picture_id=picture_id, owner_id=owner_id, code=error.code))

    async def _clear(self, upload_key: str) -> None:
        # What cannot be removed now, the collector removes within hours.
        with contextlib.suppress(DomainError):
            await self._files.delete(upload_key)


def _new(picture_id: UUID, state: PictureState, *, alt: str, at: datetime) -> Picture:
    return Picture(id=picture_id, state=state, alt=alt, created_at=at)
