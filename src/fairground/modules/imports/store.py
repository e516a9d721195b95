"""Embedded pictures that wait to be made into files, and the runs that do so."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import exists, func, select, update

from fairground.contracts.imports import (
    FAILURES_LISTED_MAX,
    EmbeddedFailure,
    ImportedPicture,
    PictureMigration,
    PicturePlace,
    PictureSubject,
)
from fairground.kernel.ids import uuid7
from fairground.modules.imports.tables import EmbeddedPictureRow, PictureMigrationRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_RUN: Final = (
    PictureMigrationRow.id,
    PictureMigrationRow.subject,
    PictureMigrationRow.started_at,
    PictureMigrationRow.finished_at,
)

_EXPORTED_MAX: Final = 100  # of one provider; a row of an import holds at most 61


@dataclass(frozen=True)
class Embedded:
    """An embedded picture without its bytes."""

    id: UUID
    provider_id: UUID
    place: PicturePlace
    alt: str


async def list_stored(tx: ReadTx, provider_ids: Collection[UUID]) -> set[tuple[UUID, str, str]]:
    """Return provider, place and digest of the embedded pictures of providers."""
    columns = (EmbeddedPictureRow.provider_id, EmbeddedPictureRow.place, EmbeddedPictureRow.digest)
    rows = await tx.all(select(*columns).where(among(EmbeddedPictureRow.provider_id, provider_ids)))
    return {(row.provider_id, row.place, row.digest) for row in rows}


async def stage_pictures(tx: WriteTx, pictures: Mapping[UUID, Collection[ImportedPicture]]) -> int:
    """Store the pictures of providers as waiting, unless they are stored; return the number of new ones."""
    stored = await list_stored(tx, pictures)
    rows = [
        {
            "id": uuid7(),
            "provider_id": provider_id,
            "place": picture.place.value,
            "digest": digest,
            "content": picture.content,
            "alt": picture.alt,
            "state": "waiting",
        }
        for provider_id, embedded in pictures.items()
        for picture in embedded
        if (provider_id, picture.place.value, digest := hashlib.sha256(picture.content).hexdigest()) not in stored
    ]
    return await tx.insert_ignore(EmbeddedPictureRow, rows)


async def count_failed(tx: ReadTx) -> dict[str, int]:
    """Return the number of failed pictures by code."""
    failed = select(EmbeddedPictureRow.failure_code, func.count()).where(EmbeddedPictureRow.state == "failed")
    return dict(await tx.all(failed.group_by(EmbeddedPictureRow.failure_code)))


async def count_waiting(tx: ReadTx, subject: PictureSubject) -> int:
    count: int = await tx.scalar(select(func.count()).select_from(EmbeddedPictureRow).where(*_waiting(subject)))
    return count


async def insert_migration(tx: WriteTx, migration_id: UUID, subject: PictureSubject, *, started_at: datetime) -> bool:
    """Return False when one of the same subject is running."""
    row = {"id": migration_id, "subject": subject.value, "started_at": started_at}
    return await tx.insert_ignore(PictureMigrationRow, [row]) == 1


async def find_running(tx: ReadTx, subject: PictureSubject) -> UUID | None:
    is_running = (PictureMigrationRow.subject == subject.value, PictureMigrationRow.finished_at.is_(None))
    found: UUID | None = await tx.scalar(select(PictureMigrationRow.id).where(*is_running))
    return found


async def find_latest(tx: ReadTx, subject: PictureSubject) -> UUID | None:
    of_subject = select(PictureMigrationRow.id).where(PictureMigrationRow.subject == subject.value)
    found: UUID | None = await tx.scalar(of_subject.order_by(PictureMigrationRow.started_at.desc()).limit(1))
    return found


async def find_migration(tx: ReadTx, migration_id: UUID) -> PictureMigration | None:
    run = await tx.one_or_none(select(*_RUN).where(PictureMigrationRow.id == migration_id))
    if run is None:
        return None
    counted = select(EmbeddedPictureRow.state, func.count()).where(EmbeddedPictureRow.migration_id == migration_id)
    counts: dict[str, int] = dict(await tx.all(counted.group_by(EmbeddedPictureRow.state)))
    if run.finished_at is None:
        counts["waiting"] = await count_waiting(tx, PictureSubject(run.subject))
    return PictureMigration(
        **run._asdict(),
        found=sum(counts.values()),
        migrated=counts.get("migrated", 0),
        failed=counts.get("failed", 0),
        failures=await _list_failures(tx, migration_id),
    )


async def _list_failures(tx: ReadTx, migration_id: UUID) -> list[EmbeddedFailure]:
    columns = (
        EmbeddedPictureRow.provider_id,
        EmbeddedPictureRow.place,
        EmbeddedPictureRow.failure_code.label("code"),
        EmbeddedPictureRow.failure_detail.label("detail"),
    )
    failed = (EmbeddedPictureRow.migration_id == migration_id, EmbeddedPictureRow.state == "failed")
    rows = await tx.all(select(*columns).where(*failed).order_by(EmbeddedPictureRow.id).limit(FAILURES_LISTED_MAX))
    return [EmbeddedFailure(**row._asdict()) for row in rows]


async def list_waiting(tx: ReadTx, subject: PictureSubject, *, limit: int) -> list[Embedded]:
    return await _list(tx, *_waiting(subject), limit=limit)


async def list_taken(tx: ReadTx, migration_id: UUID) -> list[Embedded]:
    """Return the pictures that media is rendering."""
    return await _list(tx, EmbeddedPictureRow.migration_id == migration_id, EmbeddedPictureRow.state == "taken")


async def _list(tx: ReadTx, *conditions: Any, limit: int | None = None) -> list[Embedded]:
    columns = (EmbeddedPictureRow.id, EmbeddedPictureRow.provider_id, EmbeddedPictureRow.place, EmbeddedPictureRow.alt)
    rows = await tx.all(select(*columns).where(*conditions).order_by(EmbeddedPictureRow.id).limit(limit))
    return [Embedded(row.id, row.provider_id, PicturePlace(row.place), row.alt) for row in rows]


async def list_waiting_of(tx: ReadTx, provider_id: UUID) -> list[ImportedPicture]:
    """Return the waiting pictures of a provider with their bytes, the newest first."""
    columns = (EmbeddedPictureRow.place, EmbeddedPictureRow.content, EmbeddedPictureRow.alt)
    waiting = (EmbeddedPictureRow.provider_id == provider_id, EmbeddedPictureRow.state == "waiting")
    statement = select(*columns).where(*waiting).order_by(EmbeddedPictureRow.id.desc()).limit(_EXPORTED_MAX)
    return [ImportedPicture(**row._asdict()) for row in await tx.all(statement)]


async def read_content(tx: ReadTx, picture_id: UUID) -> bytes:
    content: bytes | None = await tx.scalar(
        select(EmbeddedPictureRow.content).where(EmbeddedPictureRow.id == picture_id)
    )
    return content or b""


async def mark_taken(tx: WriteTx, picture_id: UUID, migration_id: UUID) -> None:
    await _move(tx, picture_id, "waiting", state="taken", migration_id=migration_id)


async def mark_migrated(tx: WriteTx, picture_id: UUID) -> bool:
    """Return False when the picture is not `taken`."""
    return await _move(tx, picture_id, "taken", state="migrated", content=None)


async def mark_failed(tx: WriteTx, picture_id: UUID, migration_id: UUID, *, code: str, detail: str) -> None:
    """Record why a picture cannot be shown; its bytes stay."""
    values = {"migration_id": migration_id, "failure_code": code, "failure_detail": detail}
    await _move(tx, picture_id, "waiting", "taken", state="failed", **values)


async def finish_migration(tx: WriteTx, migration_id: UUID, subject: PictureSubject) -> bool:
    """Mark a run as finished. Return False while pictures of it are waiting or taken."""
    is_taken = (EmbeddedPictureRow.migration_id == migration_id, EmbeddedPictureRow.state == "taken")
    nothing_is_left = ~exists().where(*_waiting(subject)) & ~exists().where(*is_taken)
    run = update(PictureMigrationRow).where(PictureMigrationRow.id == migration_id, nothing_is_left)
    return await tx.execute(run.values(finished_at=tx.now())) == 1


async def _move(tx: WriteTx, picture_id: UUID, *states: str, **values: Any) -> bool:
    is_it = (EmbeddedPictureRow.id == picture_id, EmbeddedPictureRow.state.in_(states))
    return await tx.execute(update(EmbeddedPictureRow).where(*is_it).values(values)) == 1


def _waiting(subject: PictureSubject) -> tuple[Any, Any]:
    places = [place.value for place in subject.places]
    return EmbeddedPictureRow.state == "waiting", EmbeddedPictureRow.place.in_(places)
