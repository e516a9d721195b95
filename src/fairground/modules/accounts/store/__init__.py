"""Users, their sessions and mailed links; `own_accounts` has what users change of their own account."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.elements import ColumnElement

from fairground.contracts.accounts import AccountStatus, Role, Session, SessionKind, User
from fairground.modules.accounts.domain import SEEN_EVERY, LinkPurpose, search_words
from fairground.modules.accounts.tables import EmailChangeRow, LinkRow, SessionRow, UserRow, UserWordRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import TimeShift

_ROWS_PER_STATEMENT: Final = 500

USER: Final = (
    UserRow.id.label("user_id"),
    UserRow.email,
    UserRow.name.label("user_name"),
    UserRow.role,
    UserRow.email_verified_at,
    UserRow.created_at.label("user_created_at"),
    UserRow.status,
)
_SESSION: Final = (
    SessionRow.id.label("session_id"),
    SessionRow.user_id.label("holder_id"),
    SessionRow.kind,
    SessionRow.name.label("session_name"),
    SessionRow.created_at.label("session_created_at"),
    SessionRow.last_seen_at,
    SessionRow.expires_at,
)


@dataclass(frozen=True)
class Credentials:
    user: User
    password_hash: str


@dataclass(frozen=True)
class LiveSession:
    """A session that has not expired."""

    session: Session
    user: User
    ends_at: datetime
    is_due: bool
    """Whether `last_seen_at` is older than a minute."""


async def insert_users(tx: WriteTx, users: Sequence[User], *, password_hash: str) -> int:
    """Insert the users whose address is free, with their words if it is all of them; return their number."""
    count = await _insert_all(tx, UserRow, [_user_row(user, password_hash) for user in users])
    if count == len(users):
        await insert_words(tx, users)
    return count


async def insert_words(tx: WriteTx, users: Sequence[User]) -> None:
    words = [
        {"word": word, "user_id": user.id} for user in users for word in search_words(email=user.email, name=user.name)
    ]
    await _insert_all(tx, UserWordRow, words)


async def _insert_all(tx: WriteTx, row_class: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> int:
    starts = range(0, len(rows), _ROWS_PER_STATEMENT)
    return sum([await tx.insert_many(row_class, rows[start : start + _ROWS_PER_STATEMENT]) for start in starts])


def _user_row(user: User, password_hash: str) -> Mapping[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "password_hash": password_hash,
        "email_verified_at": user.created_at if user.email_verified else None,
        "created_at": user.created_at,
    }


async def find_user(tx: ReadTx, user_id: UUID) -> User | None:
    row = await tx.one_or_none(select(*USER).where(UserRow.id == user_id))
    return None if row is None else to_user(row)


async def find_users(tx: ReadTx, user_ids: Collection[UUID]) -> dict[UUID, User]:
    rows = await tx.all(select(*USER).where(UserRow.id.in_(list(user_ids))))
    return {row.user_id: to_user(row) for row in rows}


async def list_users(tx: ReadTx, *, role: Role | None, limit: int) -> list[User]:
    newest_first = select(*USER).order_by(UserRow.id.desc()).limit(limit)
    of_role = newest_first if role is None else newest_first.where(UserRow.role == role.value)
    return [to_user(row) for row in await tx.all(of_role)]


async def list_staff(tx: ReadTx, *, limit: int) -> list[User]:
    """Return the active accounts of both roles of staff, the newest of each first."""
    found: list[User] = []
    for role in (Role.ADMIN, Role.STAFF):
        active = (UserRow.status == AccountStatus.ACTIVE.value) & (UserRow.role == role.value)
        newest_first = select(*USER).where(active).order_by(UserRow.id.desc()).limit(limit)
        found += [to_user(row) for row in await tx.all(newest_first)]
    return found[:limit]


async def count_users(tx: ReadTx) -> int:
    count: int = await tx.scalar(select(func.count()).select_from(UserRow))
    return count


async def find_credentials(tx: ReadTx, *, email: str) -> Credentials | None:
    return _to_credentials(await tx.one_or_none(_credentials().where(UserRow.email == email)))


async def find_credentials_of(tx: ReadTx, user_id: UUID) -> Credentials | None:
    return _to_credentials(await tx.one_or_none(_credentials().where(UserRow.id == user_id)))


async def lock_credentials(tx: WriteTx, user_id: UUID) -> Credentials | None:
    """Read a user with the hash of the password, and lock the row until the transaction ends."""
    rows = await tx.lock(_credentials().where(UserRow.id == user_id))
    return _to_credentials(rows[0] if rows else None)


def _credentials() -> Any:
    return select(*USER, UserRow.password_hash)


async def set_password_hash(tx: WriteTx, user_id: UUID, *, password_hash: str) -> None:
    await tx.execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash))


async def mark_verified(tx: WriteTx, user_id: UUID) -> bool:
    """Return False if the address was verified already."""
    unverified = (UserRow.id == user_id) & UserRow.email_verified_at.is_(None)
    return await tx.execute(update(UserRow).where(unverified).values(email_verified_at=tx.now())) == 1


async def insert_session(tx: WriteTx, session: Session, *, secret_hash: bytes, ends_at: datetime) -> None:
    row = {
        "id": session.id,
        "user_id": session.user_id,
        "secret_hash": secret_hash,
        "kind": session.kind.value,
        "name": session.name,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "ends_at": ends_at,
    }
    await tx.execute(insert(SessionRow).values(row))


async def find_live_session(tx: ReadTx, *, secret_hash: bytes) -> LiveSession | None:
    row = await tx.one_or_none(_live_session(tx.ops), {"secret_hash": secret_hash, "now": tx.clock_shift})
    if row is None:
        return None
    return LiveSession(session=_to_session(row), user=to_user(row), ends_at=row.ends_at, is_due=bool(row.is_due))


@lru_cache(maxsize=2)  # one for each dialect
def _live_session(ops: SQLOps) -> Prepared:
    now = ops.now(bindparam("now", type_=TimeShift()))
    is_due = _is_seen_before_or_after(ops.later(now, by=-SEEN_EVERY), ops.later(now, by=SEEN_EVERY))
    return Prepared(
        select(*USER, *_SESSION, SessionRow.ends_at, is_due.label("is_due"))
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .where(SessionRow.secret_hash == bindparam("secret_hash"), SessionRow.expires_at > now)
    )


async def mark_seen(tx: WriteTx, session_id: UUID, *, seen_at: datetime, expires_at: datetime) -> None:
    """Advance the times of a session, unless it was marked within the last minute or has ended."""
    is_live = (SessionRow.id == session_id) & (SessionRow.expires_at > tx.now())
    await tx.execute(
        update(SessionRow).where(is_live & _is_due(tx)).values(last_seen_at=seen_at, expires_at=expires_at)
    )


def _is_due(tx: ReadTx) -> ColumnElement[bool]:
    return _is_seen_before_or_after(tx.now(-SEEN_EVERY), tx.now(SEEN_EVERY))


def _is_seen_before_or_after(early: ColumnElement[Any], late: ColumnElement[Any]) -> ColumnElement[bool]:
    # A `last_seen_at` in the future was stored by a clock that ran ahead; the end derived from it is too late.
    return (SessionRow.last_seen_at < early) | (SessionRow.last_seen_at > late)


async def find_session_of(tx: ReadTx, *, user_id: UUID, session_id: UUID) -> Session | None:
    mine = (SessionRow.id == session_id) & (SessionRow.user_id == user_id) & (SessionRow.expires_at > tx.now())
    row = await tx.one_or_none(select(*_SESSION).where(mine))
    return None if row is None else _to_session(row)


async def list_sessions(tx: ReadTx, *, user_id: UUID) -> list[Session]:
    live = select(*_SESSION).where(SessionRow.user_id == user_id, SessionRow.expires_at > tx.now())
    return [_to_session(row) for row in await tx.all(live.order_by(SessionRow.id.desc()))]


async def count_sessions(tx: ReadTx, user_id: UUID, *, kind: SessionKind) -> int:
    count: int = await tx.scalar(select(func.count()).select_from(SessionRow).where(_live_of(tx, user_id, kind)))
    return count


async def delete_least_recently_seen(tx: WriteTx, user_id: UUID, *, kind: SessionKind, keep: int) -> None:
    """Delete sessions of one kind until `keep` are left, the least recently seen first."""
    newest_first = select(SessionRow.id).where(_live_of(tx, user_id, kind)).order_by(SessionRow.last_seen_at.desc())
    too_many = await tx.scalars(newest_first.order_by(SessionRow.id.desc()).offset(keep))
    if too_many:
        await tx.execute(delete(SessionRow).where(SessionRow.id.in_(too_many)))


def _live_of(tx: ReadTx, user_id: UUID, kind: SessionKind) -> ColumnElement[bool]:
    return (SessionRow.user_id == user_id) & (SessionRow.kind == kind.value) & (SessionRow.expires_at > tx.now())


async def delete_session(tx: WriteTx, *, user_id: UUID, session_id: UUID) -> bool:
    return await tx.execute(delete(SessionRow).where(SessionRow.id == session_id, SessionRow.user_id == user_id)) == 1


async def delete_session_by_secret(tx: WriteTx, *, secret_hash: bytes) -> None:
    await tx.execute(delete(SessionRow).where(SessionRow.secret_hash == secret_hash))


async def delete_sessions_of(tx: WriteTx, user_id: UUID) -> int:
    """Delete them and return their number, those that have expired included."""
    return await tx.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


async def insert_link(
    tx: WriteTx, *, token_hash: bytes, user_id: UUID, purpose: LinkPurpose, expires_at: datetime
) -> None:
    row = {"token_hash": token_hash, "user_id": user_id, "purpose": purpose.value, "expires_at": expires_at}
    await tx.execute(insert(LinkRow).values(row))


async def find_link_holder(tx: ReadTx, *, token_hash: bytes, purpose: LinkPurpose) -> UUID | None:
    """Return the user of a link that can still be used."""
    holder: UUID | None = await tx.scalar(select(LinkRow.user_id).where(_is_usable(tx, token_hash, purpose)))
    return holder


async def delete_link(tx: WriteTx, *, token_hash: bytes, purpose: LinkPurpose) -> bool:
    """Delete a link as it is used. Return False if it was used before or has expired."""
    return await tx.execute(delete(LinkRow).where(_is_usable(tx, token_hash, purpose))) == 1


def _is_usable(tx: ReadTx, token_hash: bytes, purpose: LinkPurpose) -> ColumnElement[bool]:
    is_it = (LinkRow.token_hash == token_hash) & (LinkRow.purpose == purpose.value)
    return is_it & (LinkRow.expires_at > tx.now())


async def delete_links_of(tx: WriteTx, user_id: UUID, *, purpose: LinkPurpose) -> None:
    await tx.execute(delete(LinkRow).where(LinkRow.user_id == user_id, LinkRow.purpose == purpose.value))


async def delete_all_links_of(tx: WriteTx, user_id: UUID) -> None:
    await tx.execute(delete(LinkRow).where(LinkRow.user_id == user_id))


async def delete_expired(tx: WriteTx) -> int:
    """Delete expired sessions, links and changes of address; return their number."""
    rows = (SessionRow, LinkRow, EmailChangeRow)
    return sum([await tx.execute(delete(row).where(row.expires_at < tx.now())) for row in rows])


def to_user(row: Any) -> User:
    return User(
        id=row.user_id,
        email=row.email,
        name=row.user_name,
        role=Role(row.role),
        email_verified=row.email_verified_at is not None,
        created_at=row.user_created_at,
        status=AccountStatus(row.status),
    )


def _to_credentials(row: Any) -> Credentials | None:
    return None if row is None else Credentials(user=to_user(row), password_hash=row.password_hash)


def _to_session(row: Any) -> Session:
    return Session(
        id=row.session_id,
        user_id=row.holder_id,
        kind=SessionKind(row.kind),
        name=row.session_name,
        created_at=row.session_created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
    )
