import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import (
    Role,
    SessionKind,
    SessionNotFound,
    TooManyTokens,
    User,
    UserNotFound,
)
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.domain import SESSIONS_MAX
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.sessions import DropExpired, Sessions
from fairground.modules.accounts.tables import SessionRow
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from tests.modules.accounts.conftest import OpenSessions, SignIn
from tests.modules.accounts.stand_ins import PASSWORD


async def test_session_is_found_by_its_secret(service: AccountService, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in("ADA@example.org")
    found = await service.find_session(secret=opened.secret)

    assert found == (opened.session, ada)


async def test_secret_of_a_session_is_not_in_the_database(db: Database, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in()

    async with db.read() as tx:
        (row,) = await tx.all(select(*SessionRow.__table__.c).where(SessionRow.user_id == ada.id))
    assert opened.secret not in str(tuple(row))
    assert opened.secret.encode() not in row.secret_hash


async def test_session_ends_after_two_weeks_without_a_visit(
    db: Database, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    opened = await sign_in()
    db.clock_shift = timedelta(days=13, hours=23)
    assert await service.find_session(secret=opened.secret) is not None
    db.clock_shift = timedelta(days=27)
    assert await service.find_session(secret=opened.secret) is not None
    db.clock_shift = timedelta(days=41, minutes=1)

    assert await service.find_session(secret=opened.secret) is None
    assert await service.list_sessions(user_id=ada.id) == []


@pytest.mark.usefixtures("ada")
async def test_session_ends_after_ninety_days_even_if_it_is_used(
    db: Database, service: AccountService, sign_in: SignIn
) -> None:
    opened = await sign_in()
    alive = []
    for day in range(0, 100, 5):
        db.clock_shift = timedelta(days=day, hours=1)
        alive.append(await service.find_session(secret=opened.secret) is not None)

    assert alive == [day < 90 for day in range(0, 100, 5)]


async def test_session_of_an_admin_ends_after_half_an_hour_without_a_visit_and_after_twelve_hours(
    db: Database, service: AccountService, sign_in: SignIn
) -> None:
    await service.create_user(email="boss@example.org", password=PASSWORD, name="Boss", role=Role.ADMIN)
    idle, busy = await sign_in("boss@example.org"), await sign_in("boss@example.org")
    seen = []
    for minute in range(0, 13 * 60, 20):
        db.clock_shift = timedelta(minutes=minute)
        seen.append(await service.find_session(secret=busy.secret) is not None)

    assert seen == [minute < 12 * 60 for minute in range(0, 13 * 60, 20)]
    db.clock_shift = timedelta(minutes=31)
    assert await service.find_session(secret=idle.secret) is None


async def test_use_of_a_session_is_stored_once_a_minute(
    db: Database, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    opened = await sign_in()
    seen_at = []
    for seconds in (10, 50, 70, 100, 125, 140):
        db.clock_shift = timedelta(seconds=seconds)
        await asyncio.gather(*(service.find_session(secret=opened.secret) for _ in range(4)))
        (session,) = await service.list_sessions(user_id=ada.id)
        seen_at.append(round((session.last_seen_at - opened.session.created_at).total_seconds(), -1))

    assert seen_at == [0, 0, 70, 70, 70, 140]


async def test_token_lives_for_a_year_without_use(db: Database, service: AccountService, ada: User) -> None:
    token = await service.create_token(user_id=ada.id, name="Calendar")
    db.clock_shift = timedelta(days=364)
    assert await service.find_session(secret=token.secret) is not None
    db.clock_shift = timedelta(days=366)
    assert await service.find_session(secret=token.secret) is None


async def test_token_of_an_unknown_user_is_refused(service: AccountService) -> None:
    with pytest.raises(UserNotFound):
        await service.create_token(user_id=uuid7(), name="Calendar")


async def test_revoked_session_is_not_found(service: AccountService, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in()
    await service.revoke_session(user_id=ada.id, session_id=opened.session.id)

    assert await service.find_session(secret=opened.secret) is None
    with pytest.raises(SessionNotFound):
        await service.revoke_session(user_id=ada.id, session_id=opened.session.id)


@pytest.mark.usefixtures("ada")
async def test_session_of_another_user_cannot_be_revoked(service: AccountService, sign_in: SignIn) -> None:
    opened = await sign_in()
    with pytest.raises(SessionNotFound):
        await service.revoke_session(user_id=uuid7(), session_id=opened.session.id)

    assert await service.find_session(secret=opened.secret) is not None


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "ä" * 43, "\x00" * 43, "x" * 100_000])
async def test_text_that_is_no_secret_finds_no_session(service: AccountService, secret: str) -> None:
    assert await service.find_session(secret=secret) is None


async def test_expired_sessions_are_deleted_and_live_ones_stay(
    db: Database, sessions: Sessions, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    await sign_in()
    token = await service.create_token(user_id=ada.id, name="Calendar")
    db.clock_shift = timedelta(days=100)
    await sessions.drop_expired(DropExpired())

    async with db.read() as tx:
        assert await tx.scalars(select(SessionRow.id)) == [token.session.id]


async def test_token_of_an_admin_lives_for_a_month(db: Database, service: AccountService) -> None:
    boss = await service.create_user(email="boss@example.org", password=PASSWORD, name="Boss", role=Role.ADMIN)
    token = await service.create_token(user_id=boss.id, name="Report")
    db.clock_shift = timedelta(days=29)
    assert await service.find_session(secret=token.secret) is not None
    db.clock_shift = timedelta(days=31)
    assert await service.find_session(secret=token.secret) is None


async def test_account_has_at_most_100_tokens_after_concurrent_requests(
    service: AccountService, open_sessions: OpenSessions, ada: User
) -> None:
    kept = await open_sessions(ada, kind=SessionKind.TOKEN, count=SESSIONS_MAX - 3)
    more = (service.create_token(user_id=ada.id, name="More") for _ in range(10))
    outcomes = await asyncio.gather(*more, return_exceptions=True)

    assert sum(isinstance(outcome, TooManyTokens) for outcome in outcomes) == 7
    assert len(await service.list_sessions(user_id=ada.id)) == SESSIONS_MAX
    await service.revoke_session(user_id=ada.id, session_id=kept[0].session.id)
    await service.create_token(user_id=ada.id, name="In its place")


@pytest.mark.usefixtures("ada")
async def test_session_is_found_while_the_database_cannot_write(
    db: Database, service: AccountService, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await sign_in()
    db.clock_shift = timedelta(minutes=2)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The database is read-only.")

    with monkeypatch.context() as patch:
        patch.setattr(db.backend, "write", refuse)
        assert await service.find_session(secret=opened.secret) is not None
    (session,) = await service.list_sessions(user_id=opened.user.id)
    assert session.last_seen_at == opened.session.last_seen_at


@pytest.mark.usefixtures("ada")
async def test_session_is_found_soon_while_another_transaction_holds_the_writer(
    db: Database, service: AccountService, sign_in: SignIn
) -> None:
    opened = await sign_in()
    db.clock_shift = timedelta(minutes=2)
    async with db.write() as tx:
        await tx.lock(select(SessionRow.id).where(SessionRow.id == opened.session.id))
        async with asyncio.timeout(2):
            assert await service.find_session(secret=opened.secret) is not None
    # Once the writer is free again, it is marked.
    await service.find_session(secret=opened.secret)
    (session,) = await service.list_sessions(user_id=opened.user.id)
    assert session.last_seen_at > opened.session.last_seen_at


@pytest.mark.usefixtures("ada")
async def test_session_stored_by_a_clock_ahead_gets_its_true_end_at_its_next_use(
    db: Database, service: AccountService, sign_in: SignIn
) -> None:
    db.clock_shift = timedelta(hours=3)
    opened = await sign_in()
    db.clock_shift = timedelta(0)
    await service.find_session(secret=opened.secret)

    (session,) = await service.list_sessions(user_id=opened.user.id)
    assert session.expires_at <= opened.session.expires_at - timedelta(hours=2, minutes=59)
