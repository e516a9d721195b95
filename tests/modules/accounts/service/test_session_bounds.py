"""How many sessions an account has, how long they live, and what becomes of them while the database cannot write."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import HasherBusy, Role, SessionKind, TooManyTokens, User
from fairground.modules.accounts.domain import SESSIONS_MAX
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.tables import SessionRow
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from tests.modules.accounts.conftest import SignIn
from tests.modules.accounts.stand_ins import PASSWORD


async def test_token_of_an_admin_lives_for_a_month(db: Database, service: AccountService) -> None:
    boss = await service.create_user(email="boss@example.org", password=PASSWORD, name="Boss", role=Role.ADMIN)
    token = await service.create_token(user_id=boss.id, name="Report")
    db.clock_shift = timedelta(days=29)
    assert await service.find_session(secret=token.secret) is not None
    db.clock_shift = timedelta(days=31)
    assert await service.find_session(secret=token.secret) is None


async def test_account_has_at_most_100_tokens_however_many_are_asked_for_at_once(
    service: AccountService, ada: User
) -> None:
    kept = [await service.create_token(user_id=ada.id, name=f"Program {number}") for number in range(SESSIONS_MAX - 3)]
    more = (service.create_token(user_id=ada.id, name="More") for _ in range(10))
    outcomes = await asyncio.gather(*more, return_exceptions=True)

    assert sum(isinstance(outcome, TooManyTokens) for outcome in outcomes) == 7
    assert len(await service.list_sessions(user_id=ada.id)) == SESSIONS_MAX
    await service.revoke_session(user_id=ada.id, session_id=kept[0].session.id)
    await service.create_token(user_id=ada.id, name="In its place")


@pytest.mark.parametrize("kind", list(SessionKind))
async def test_sign_in_beyond_100_sessions_ends_the_one_not_seen_for_longest(
    db: Database, service: AccountService, sign_in: SignIn, ada: User, kind: SessionKind
) -> None:
    opened = [await sign_in(kind=kind) for _ in range(SESSIONS_MAX)]
    db.clock_shift = timedelta(minutes=2)
    assert await service.find_session(secret=opened[0].secret) is not None
    newest = await sign_in(kind=kind)

    live = {session.id for session in await service.list_sessions(user_id=ada.id)}
    assert live == {session.session.id for session in [opened[0], *opened[2:], newest]}


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
async def test_session_is_found_soon_while_another_transaction_keeps_the_writer_busy(
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
async def test_session_seen_by_a_clock_ahead_gets_its_true_end_when_it_is_seen_again(
    db: Database, service: AccountService, sign_in: SignIn
) -> None:
    db.clock_shift = timedelta(hours=3)
    opened = await sign_in()
    db.clock_shift = timedelta(0)
    await service.find_session(secret=opened.secret)

    (session,) = await service.list_sessions(user_id=opened.user.id)
    assert session.expires_at <= opened.session.expires_at - timedelta(hours=2, minutes=59)


async def test_try_that_the_hasher_has_no_room_for_is_not_counted(
    service: AccountService, sign_in: SignIn, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> bool:
        raise HasherBusy("Too many wait.")

    with monkeypatch.context() as patch:
        patch.setattr(service.hasher, "verify", refuse)
        for _ in range(9):
            with pytest.raises(HasherBusy):
                await sign_in()
    assert (await sign_in()).user == ada
