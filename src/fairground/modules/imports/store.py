"""Embedded pictures that wait to be made into files, and the runs that do so."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import case, exists, func, select, update

from fairground.contracts.imports import (
    FAILURES_LISTED_MAX,
    EmbeddedFailure,
    FailedAddress,
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

_BY_ADDRESS: Final = (EmbeddedPictureRow.url.is_not(None),)
_EXPORTED_MAX: Final = 100  # of one provider; a row of an import holds at most 61


@dataclass(frozen=True)
class Embedded:
    """A picture of a row without its bytes."""

    id: UUID
    provider_id: UUID
    place: PicturePlace
    alt: str
    url: str | None
    """Where it is fetched from; None where it was embedded."""
    content_digest: str | None
    """Of what was fetched last from the address."""
    replaces_id: UUID | None
    """The picture of the same address that is shown until this one is."""


@dataclass(frozen=True)
class StagedPictures:
    embedded: int
    """New ones, which wait for staff."""
    to_fetch: list[UUID]


_Key = tuple[UUID, str, str]


async def list_stored(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[_Key, tuple[UUID, str]]:
    """Return id and state of the pictures of providers, by provider, place and digest."""
    row = EmbeddedPictureRow
    rows = await tx.all(
        select(row.id, row.provider_id, row.place, row.digest, row.state).where(among(row.provider_id, provider_ids))
    )
    return {(each.provider_id, each.place, each.digest): (each.id, each.state) for each in rows}


async def stage_pictures(
    tx: WriteTx, pictures: Mapping[UUID, Collection[ImportedPicture]], *, changed: Collection[UUID]
) -> StagedPictures:
    """Store the new pictures of providers: embedded ones as waiting, those named by address as to be fetched.

    Args:
        changed: The providers whose rows differ from those before. Their addresses are fetched again.
    """
    stored = await list_stored(tx, pictures)
    rows: dict[_Key, dict[str, Any]] = {}
    again = []
    for provider_id, named in pictures.items():
        for picture in named:
            row = _row(picture, provider_id)
            key = (provider_id, row["place"], row["digest"])
            known_id, state = stored.get(key, (None, ""))
            if known_id is None:
                rows.setdefault(key, row)
            elif picture.url and provider_id in changed and state in {"migrated", "failed"}:
                again.append(known_id)
    await tx.insert_ignore(EmbeddedPictureRow, list(rows.values()))
    # Another import may have inserted some of them first, and fetches those.
    is_new = among(EmbeddedPictureRow.id, [row["id"] for row in rows.values()])
    there = await tx.all(select(EmbeddedPictureRow.id, EmbeddedPictureRow.state).where(is_new))
    return StagedPictures(
        embedded=sum(state == "waiting" for _, state in there),
        to_fetch=[picture_id for picture_id, state in there if state == "fetching"]
        + [await _fetch_again(tx, known_id) for known_id in dict.fromkeys(again)],
    )


def _row(picture: ImportedPicture, provider_id: UUID) -> dict[str, Any]:
    named = picture.content if picture.url is None else picture.url.encode()
    return {
        "id": uuid7(),
        "provider_id": provider_id,
        "place": picture.place.value,
        "digest": hashlib.sha256(named).hexdigest(),
        "content": picture.content if picture.url is None else None,
        "url": picture.url,
        "alt": picture.alt,
        "state": "waiting" if picture.url is None else "fetching",
    }


async def _fetch_again(tx: WriteTx, known_id: UUID) -> UUID:
    """Give a picture of an address a new id, under which media takes what is there now; return that id."""
    row, new_id = EmbeddedPictureRow, uuid7()
    shown = case((row.state == "migrated", row.id), else_=row.replaces_id)
    values = {"id": new_id, "state": "fetching", "replaces_id": shown, "failure_code": None, "failure_detail": None}
    await tx.execute(update(row).where(row.id == known_id).values(values))
    return new_id


async def find_to_fetch(tx: ReadTx, picture_id: UUID) -> Embedded | None:
    """Return a picture that is to be fetched, also one whose fetching was interrupted before media had it."""
    states = EmbeddedPictureRow.state.in_(["fetching", "taken"])
    return next(iter(await _list(tx, EmbeddedPictureRow.id == picture_id, *_BY_ADDRESS, states)), None)


async def find_fetched(tx: ReadTx, picture_id: UUID) -> Embedded | None:
    """Return a picture of an address that media has and that is not shown yet."""
    is_taken = EmbeddedPictureRow.state == "taken"
    return next(iter(await _list(tx, EmbeddedPictureRow.id == picture_id, *_BY_ADDRESS, is_taken)), None)


async def mark_fetched(tx: WriteTx, each: Embedded, *, content_digest: str) -> bool:
    """Mark a picture as given to media. Return False where it is the one that is shown already, and stays."""
    if each.replaces_id is not None and each.content_digest == content_digest:
        shown = {"id": each.replaces_id, "state": "migrated", "replaces_id": None}
        # Not of a taken one: an interrupted job has stored the digest of the new picture already.
        if await _move(tx, each.id, "fetching", **shown):
            return False
    await _move(tx, each.id, "fetching", "taken", state="taken", content_digest=content_digest)
    return True


async def count_fetching(tx: ReadTx) -> int:
    row = EmbeddedPictureRow
    in_progress = (row.state == "fetching") | ((row.state == "taken") & row.url.is_not(None))
    count: int = await tx.scalar(select(func.count()).select_from(row).where(in_progress))
    return count


async def list_failed_addresses(tx: ReadTx) -> list[FailedAddress]:
    row = EmbeddedPictureRow
    columns = (row.provider_id, row.url, row.failure_code.label("code"), row.failure_detail.label("detail"))
    failed = select(*columns).where(row.state == "failed", *_BY_ADDRESS).order_by(row.id).limit(FAILURES_LISTED_MAX)
    return [FailedAddress(**each._asdict()) for each in await tx.all(failed)]


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
    columns = [getattr(EmbeddedPictureRow, each.name) for each in fields(Embedded)]
    rows = await tx.all(select(*columns).where(*conditions).order_by(EmbeddedPictureRow.id).limit(limit))
    return [Embedded(**{**row._asdict(), "place": PicturePlace(row.place)}) for row in rows]


async def list_waiting_of(tx: ReadTx, provider_id: UUID) -> list[ImportedPicture]:
    """Return the waiting pictures of a provider with their bytes or addresses, the newest first."""
    columns = (EmbeddedPictureRow.place, EmbeddedPictureRow.content, EmbeddedPictureRow.url, EmbeddedPictureRow.alt)
    waits = EmbeddedPictureRow.state.in_(["waiting", "fetching"])
    waiting = select(*columns).where(EmbeddedPictureRow.provider_id == provider_id, waits)
    rows = await tx.all(waiting.order_by(EmbeddedPictureRow.id.desc()).limit(_EXPORTED_MAX))
    return [ImportedPicture(place=row.place, content=row.content or b"", url=row.url, alt=row.alt) for row in rows]


async def read_content(tx: ReadTx, picture_id: UUID) -> bytes:
    content: bytes | None = await tx.scalar(
        select(EmbeddedPictureRow.content).where(EmbeddedPictureRow.id == picture_id)
    )
    return content or b""


async def mark_taken(tx: WriteTx, picture_id: UUID, migration_id: UUID) -> None:
    await _move(tx, picture_id, "waiting", state="taken", migration_id=migration_id)


async def mark_migrated(tx: WriteTx, picture_id: UUID) -> bool:
    """Return False when the picture is not `taken`."""
    return await _move(tx, picture_id, "taken", state="migrated", content=None, replaces_id=None)


async def mark_failed(tx: WriteTx, picture_id: UUID, migration_id: UUID | None, *, code: str, detail: str) -> None:
    """Record why a picture cannot be shown; its bytes stay. `migration_id` is None for one of an address."""
    values = {"migration_id": migration_id, "failure_code": code, "failure_detail": detail}
    await _move(tx, picture_id, "waiting", "fetching", "taken", state="failed", **values)


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
