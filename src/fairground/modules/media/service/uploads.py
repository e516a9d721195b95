"""Uploads: received by a form or from another module, then checked, scanned and stored under their digest."""

import asyncio
import contextlib
import hashlib
import io
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from fairground.contracts.media import (
    Picture,
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
from fairground.modules.media.domain import check_alt, check_owned
from fairground.modules.media.gateways import Clamd, PictureInfected
from fairground.modules.media.service.renditions import RenderPicture
from fairground.modules.media.settings import MediaSettings
from fairground.platform.db.common.rate_limits import Limit, RateLimiter
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.images.accepted_pictures import read_head
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.refusals import PictureTypeRefused
from fairground.platform.measures import Counted, Measure
from fairground.platform.storage.keys import Retention, content_type_of, digest_key, new_upload_key
from fairground.platform.storage.signed_urls import UploadMissing
from fairground.platform.storage.store import ObjectNotFound, Store
from fairground.platform.storage.uploads import copy_object, open_unnamed_file, receive_file

_HOUR: Final = timedelta(hours=1)
_CHUNK_BYTES: Final = 256 * 1024
_TAKEN_TYPES: Final = tuple(each.media_type for each in PictureFormat)


@dataclass
class UploadStats:
    """Counts since the start of the process."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """By `taken`, or the code of the problem that an upload was refused with."""

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count an upload by how the block ends."""
        try:
            yield
        except DomainError as error:
            self.outcomes[error.code] += 1
            raise
        self.outcomes["taken"] += 1

    def measure(self) -> Iterator[Measure]:
        yield Counted(
            "picture_uploads",
            "Picture uploads by outcome: taken, or the problem code.",
            [((outcome,), count) for outcome, count in list(self.outcomes.items())],
            labels=("outcome",),
        )


@dataclass(frozen=True)
class StoredOriginal:
    """A file in the store, which the orphan collector leaves there for some days if no row refers to it."""

    digest: str
    key: str


class Originals:
    def __init__(self, files: Store, *, spool: Path, max_bytes: int, scanner: Clamd | None) -> None:
        """Take files of at most `max_bytes`.

        Args:
            spool: A folder on the disk, for files while they are checked.
        """
        self._files = files
        self._spool = spool
        self._max_bytes = max_bytes
        self._scanner = scanner

    async def store_uploaded(self, upload_key: str) -> StoredOriginal:
        """Store a file from quarantine. It is read once, so that the file that was checked is the one that is kept.

        Checks its size again, because some stores ignore the limit of a form.

        Raises:
            ObjectNotFound: There is no such file in quarantine.
            Invalid: It is refused.
            ScannerUnavailable: As for `store`.
        """
        with await open_unnamed_file(self._spool) as file:
            await copy_object(self._files, upload_key, file, max_bytes=self._max_bytes)
            return await self.store(file, declared_type=content_type_of(upload_key))

    async def store(self, file: BinaryIO, *, declared_type: str = "") -> StoredOriginal:
        """Check, scan and store a file.

        Raises:
            Invalid: It is refused.
            ScannerUnavailable: The scanner gave no result; nothing of the file is kept.
        """
        head = await asyncio.to_thread(read_head, file, bytes_max=self._max_bytes, media_type=declared_type)
        if self._scanner is not None:
            await self._scanner.scan(file)
        digest = await asyncio.to_thread(_digest, file)
        key = digest_key(Retention.ORIGINAL, digest, content_type=head.format.media_type)
        await self._files.put(key, file)
        return StoredOriginal(digest, key)


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


class Uploads:
    def __init__(
        self,
        *,
        db: Database,
        files: Store,
        limiter: RateLimiter,
        originals: Originals,
        settings: MediaSettings,
        stats: UploadStats,
        spool: Path,
        max_bytes: int,
    ) -> None:
        """Take files of at most `max_bytes`.

        Args:
            spool: A folder on the disk, for files while they arrive.
        """
        self._db = db
        self._files = files
        self._limiter = limiter
        self._originals = originals
        self._settings = settings
        self._stats = stats
        self._spool = spool
        self._max_bytes = max_bytes
        count = settings.uploads_per_hour
        self._limit = Limit("media.upload", burst=count, interval=_HOUR / count)

    @property
    def max_bytes(self) -> int:
        return self._max_bytes

    async def offer_upload(self, *, owner_id: UUID, content_type: str, alt: str = "") -> UploadOffer:
        alt = check_alt(alt)
        if content_type not in _TAKEN_TYPES:
            raise PictureTypeRefused(f"Files of type {content_type[:80]!r} are not supported.")
        await self._admit(owner_id)
        lifetime = self._settings.form_lifetime
        key = new_upload_key(content_type=content_type)
        form = self._files.offer_upload(key, max_bytes=self._max_bytes, lifetime=lifetime)
        async with self._db.write() as tx:
            if await store.count_open_uploads(tx, owner_id, lifetime=lifetime) >= self._settings.open_uploads:
                raise TooManyOpenUploads(f"You already have {self._settings.open_uploads} unfinished uploads.")
            picture = _new_picture(uuid7(), PictureState.AWAITED, alt=alt, at=await tx.current_time())
            await store.insert_picture(tx, picture, owner_id=owner_id, upload_key=form.key)
        sent_as = PictureForm(url=form.url, fields=form.fields, max_bytes=form.max_bytes, expires_at=form.expires_at)
        return UploadOffer(picture=picture, form=sent_as)

    async def complete_upload(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        async with self._db.read() as tx:
            record = check_owned(await store.find_picture(tx, picture_id), owner_id)
        if record.upload_key is None:
            return record.picture
        with self._stats.counted():
            return await self._complete(picture_id, owner_id=owner_id, upload_key=record.upload_key)

    async def take_form(self, *, owner_id: UUID, content_type: str, body: AsyncIterator[bytes]) -> Picture:
        await self._admit(owner_id)
        async with receive_file(content_type, body, spool=self._spool, bound=lambda _fields: self._max_bytes) as sent:
            alt = sent.fields.get("alt", "")
            return await self._take(uuid7(), owner_id=owner_id, file=sent.file, alt=alt)

    async def add_picture(self, *, picture_id: UUID, owner_id: UUID, content: bytes, alt: str) -> Picture:
        async with self._db.read() as tx:
            record = await store.find_picture(tx, picture_id)
        if record is None:
            return await self._take(picture_id, owner_id=owner_id, file=io.BytesIO(content), alt=alt)
        return check_owned(record, owner_id).picture

    async def _admit(self, owner_id: UUID) -> None:
        """Count an upload that is about to begin; raise TooManyUploads after too many."""
        wait_seconds = await self._limiter.take(self._limit, key=str(owner_id))
        if wait_seconds:
            self._stats.outcomes[TooManyUploads.code] += 1
            raise TooManyUploads("You've uploaded too many pictures.", retry_after_seconds=wait_seconds)

    async def _take(self, picture_id: UUID, *, owner_id: UUID, file: BinaryIO, alt: str) -> Picture:
        """Take a file that did not come by a form of the store. Nothing of a refused one is kept."""
        with self._stats.counted():
            alt = check_alt(alt)
            original = await self._originals.store(file)
        async with self._db.write() as tx:
            state = await _save_original(tx, original)
            picture = _new_picture(picture_id, state, alt=alt, at=await tx.current_time())
            await store.insert_picture(tx, picture, owner_id=owner_id, digest=original.digest)
            return await _announce(tx, picture, owner_id=owner_id)

    async def _complete(self, picture_id: UUID, *, owner_id: UUID, upload_key: str) -> Picture:
        try:
            original = await self._originals.store_uploaded(upload_key)
        except ObjectNotFound as missing:
            # A concurrent call has completed the upload, unless the picture is awaited still.
            async with self._db.read() as tx:
                record = check_owned(await store.find_picture(tx, picture_id), owner_id)
            if record.picture.state is PictureState.AWAITED:
                raise UploadMissing("No file was uploaded with this form.") from missing
            return record.picture
        except Invalid as refusal:
            await self._refuse(picture_id, owner_id=owner_id, error=refusal)
            # Malware stays in quarantine, where operators can examine it until the collector comes.
            if not isinstance(refusal, PictureInfected):
                await delete_upload(self._files, upload_key)
            raise
        picture = await self._accept(picture_id, original, owner_id=owner_id)
        await delete_upload(self._files, upload_key)
        return picture

    async def _accept(self, picture_id: UUID, original: StoredOriginal, *, owner_id: UUID) -> Picture:
        async with self._db.write() as tx:
            record = check_owned(await store.lock_picture(tx, picture_id), owner_id)
            if record.picture.state is not PictureState.AWAITED:
                return record.picture
            state = await _save_original(tx, original)
            await store.accept_picture(tx, picture_id, digest=original.digest, state=state)
            return await _announce(tx, record.picture.model_copy(update={"state": state}), owner_id=owner_id)

    async def _refuse(self, picture_id: UUID, *, owner_id: UUID, error: Invalid) -> None:
        async with self._db.write() as tx:
            record = await store.lock_picture(tx, picture_id)
            if record is None or record.picture.state is not PictureState.AWAITED:
                return
            refusal = Refusal(code=error.code, detail=error.detail, hint=error.hint)
            await store.refuse_picture(tx, picture_id, refusal)
            await tx.emit(PictureRefused(picture_id=picture_id, owner_id=owner_id, code=error.code))


async def delete_upload(files: Store, upload_key: str) -> None:
    """Delete a file from quarantine. What cannot be deleted now, the orphan collector deletes within hours."""
    with contextlib.suppress(DomainError):
        await files.delete(upload_key)


async def _save_original(tx: WriteTx, original: StoredOriginal) -> PictureState:
    """Save an original, and return the state of its pictures."""
    is_rendered = await store.save_original(tx, digest=original.digest, key=original.key)
    return PictureState.READY if is_rendered else PictureState.PROCESSING


async def _announce(tx: WriteTx, picture: Picture, *, owner_id: UUID) -> Picture:
    """Ask for a picture's renditions, or report them as there: the same bytes were uploaded before."""
    if picture.state is PictureState.PROCESSING:
        await tx.enqueue(RenderPicture(picture_id=picture.id))
        return picture
    record = check_owned(await store.find_picture(tx, picture.id), owner_id)
    await tx.emit(record.ready_event())
    return record.picture


def _new_picture(picture_id: UUID, state: PictureState, *, alt: str, at: datetime) -> Picture:
    return Picture(id=picture_id, state=state, alt=alt, created_at=at)
