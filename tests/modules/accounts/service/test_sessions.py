import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import (
    Role,
    SessionKind,
    SessionNotFound,
    TooManyAttempts,
    User,
    UserNotFound,
    WrongCredentials,
)
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.settings import AccountsSettings
from fairground.modules.accounts.tables import SessionRow, UserRow
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.ratelimit import RateLimiter
from tests.modules.accounts.conftest import ServiceOf, SignIn
from tests.modules.accounts.stand_ins import PASSWORD, CountingAlgorithm
from tests.support.outbox import RecordingOutbox


async def fail_to_sign_in(sign_in: SignIn, *, times: int, email: str = "ada@example.org", client: str = "a") -> None:
    for number in range(times):
        with pytest.raises(WrongCredentials):
            await sign_in(email, f"wrong password {number}", client=client)


async def test_a_session_tells_whose_it_is(service: AccountService, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in("ADA@example.org")
    found = await service.find_session(secret=opened.secret)

    assert found == (opened.session, ada)


async def test_the_secret_of_a_session_is_not_in_the_database(db: Database, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in()

    async with db.read() as tx:
        (row,) = await tx.all(select(*SessionRow.__table__.c).where(SessionRow.user_id == ada.id))
    assert opened.secret not in str(tuple(row))
    assert opened.secret.encode() not in row.secret_hash


@pytest.mark.usefixtures("ada")
async def test_unknown_known_and_impossible_addresses_cost_the_same_work(
    sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    costs = []
    for email in ("ada@example.org", "nobody@example.org", "not an address", "nobody\x00@example.org", "\ud800"):
        before = algorithm.computations
        with pytest.raises(WrongCredentials):
            await sign_in(email, "wrong password \ud800")
        costs.append(algorithm.computations - before)

    assert costs == [1, 1, 1, 1, 1]


@pytest.mark.usefixtures("ada")
async def test_one_client_tries_no_more_than_five_wrong_passwords_in_any_quarter_of_an_hour(
    db: Database, sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    tried_at = []
    for minute in range(0, 120, 3):
        db.clock_shift = timedelta(minutes=minute)
        before = algorithm.computations
        with pytest.raises((WrongCredentials, TooManyAttempts)):
            await sign_in(password="wrong password", client="a")
        tried_at += [minute] * (algorithm.computations - before)

    assert tried_at[:5] == [0, 3, 6, 9, 12]
    assert max(sum(start <= minute < start + 15 for minute in tried_at) for start in range(120)) == 5


@pytest.mark.usefixtures("ada")
async def test_the_right_password_is_refused_unhashed_once_the_tries_of_its_client_are_used_up(
    sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    await fail_to_sign_in(sign_in, times=5)
    before = algorithm.computations

    with pytest.raises(TooManyAttempts) as refusal:
        await sign_in(client="a")
    assert algorithm.computations == before
    assert 0 < refusal.value.retry_after_seconds <= 15 * 60
    assert "by mail" in refusal.value.hint


@pytest.mark.usefixtures("ada")
async def test_wrong_passwords_of_one_client_keep_no_other_client_out(sign_in: SignIn) -> None:
    for client in ("a", "b", "c"):
        await fail_to_sign_in(sign_in, times=5, client=client)

    await sign_in(client="another")


@pytest.mark.usefixtures("ada")
async def test_wrong_passwords_of_all_clients_are_bounded_too(
    db: Database, sign_in: SignIn, settings: AccountsSettings
) -> None:
    most = settings.sign_in_tries_per_account_in_all
    for number in range(most):
        await fail_to_sign_in(sign_in, times=1, client=f"client {number}")
    with pytest.raises(TooManyAttempts) as refusal:
        await sign_in(client="another")
    assert 0 < refusal.value.retry_after_seconds <= 24 * 3600 / most

    # Trying on does not use up the tries of the client that was refused.
    for _ in range(9):
        with pytest.raises(TooManyAttempts):
            await sign_in(client="another")
    db.clock_shift = timedelta(hours=24) / most
    await sign_in(client="another")


@pytest.mark.usefixtures("ada")
async def test_many_guesses_at_once_from_one_client_are_hashed_five_times(
    sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    assert await rush(sign_in, algorithm, clients=1, guesses=30) == 5


@pytest.mark.usefixtures("patience", "ada")
async def test_many_guesses_at_once_from_many_clients_are_hashed_up_to_the_total(
    sign_in: SignIn, algorithm: CountingAlgorithm, settings: AccountsSettings
) -> None:
    most = settings.sign_in_tries_per_account_in_all
    assert await rush(sign_in, algorithm, clients=most + 20, guesses=most + 20) == most


async def rush(sign_in: SignIn, algorithm: CountingAlgorithm, *, clients: int, guesses: int) -> int:
    """Guess at the same moment, and return how many guesses were hashed; the others were refused."""
    before = algorithm.computations
    tries = (sign_in(password=f"wrong password {n}", client=f"client {n % clients}") for n in range(guesses))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    hashed = algorithm.computations - before
    assert sum(isinstance(outcome, WrongCredentials) for outcome in outcomes) == hashed
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == guesses - hashed
    return hashed


@pytest.mark.usefixtures("ada")
async def test_right_passwords_do_not_count_and_do_not_forgive_wrong_ones(sign_in: SignIn) -> None:
    for _ in range(12):
        await sign_in()
    await fail_to_sign_in(sign_in, times=4)
    await sign_in(client="a")
    await fail_to_sign_in(sign_in, times=1)

    with pytest.raises(TooManyAttempts):
        await sign_in(client="a")


@pytest.mark.usefixtures("ada")
async def test_one_client_that_tries_many_accounts_is_stopped(
    service_of: ServiceOf, algorithm: CountingAlgorithm, settings: AccountsSettings
) -> None:
    service = service_of(algorithm)
    before = algorithm.computations
    for number in range(settings.sign_in_tries_per_client + 20):
        with pytest.raises((WrongCredentials, TooManyAttempts)):
            await service.sign_in(
                email=f"user{number}@example.org",
                password=PASSWORD,
                kind=SessionKind.TOKEN,
                name="stuffing",
                client="198.51.100.1",
            )

    # A few come back while the test runs, one every nine seconds.
    hashed = algorithm.computations - before
    assert settings.sign_in_tries_per_client <= hashed <= settings.sign_in_tries_per_client + 10


async def test_nobody_signs_in_while_tries_cannot_be_counted(
    service: AccountService, algorithm: CountingAlgorithm
) -> None:
    unreachable = Database("postgresql://nobody@127.0.0.1:1/nothing", outbox=RecordingOutbox())
    service.gate._limiter = RateLimiter(unreachable)
    before = algorithm.computations

    with pytest.raises(DatabaseUnavailable):
        await service.sign_in(
            email="ada@example.org", password=PASSWORD, kind=SessionKind.BROWSER, name="Firefox", client="a"
        )
    assert algorithm.computations == before
    await unreachable.close()


async def test_a_hash_made_with_other_parameters_is_replaced_at_sign_in(
    db: Database, service_of: ServiceOf, sign_in: SignIn, ada: User
) -> None:
    async def stored_hash() -> str:
        async with db.read() as tx:
            value: str = await tx.scalar(select(UserRow.password_hash).where(UserRow.id == ada.id))
            return value

    old = await stored_hash()
    stronger = service_of(CountingAlgorithm(time_cost=2))
    await stronger.sign_in(email=ada.email, password=PASSWORD, kind=SessionKind.BROWSER, name="", client="a")

    assert "t=1" in old
    assert "t=2" in await stored_hash()
    await sign_in()


async def test_signing_in_ends_the_session_that_it_replaces_and_no_other(
    service: AccountService, sign_in: SignIn, ada: User
) -> None:
    kept, replaced = await sign_in(), await sign_in()
    new = await sign_in(replaces=replaced.secret)

    assert await service.find_session(secret=replaced.secret) is None
    listed = await service.list_sessions(user_id=ada.id)
    assert {session.id for session in listed} == {kept.session.id, new.session.id}


@pytest.mark.usefixtures("ada")
async def test_a_failed_sign_in_ends_nothing(service: AccountService, sign_in: SignIn) -> None:
    held = await sign_in()
    with pytest.raises(WrongCredentials):
        await sign_in(password="wrong password", replaces=held.secret)

    assert await service.find_session(secret=held.secret) is not None


async def test_a_session_ends_after_two_weeks_without_a_visit(
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
async def test_a_session_ends_after_ninety_days_however_often_it_is_seen(
    db: Database, service: AccountService, sign_in: SignIn
) -> None:
    opened = await sign_in()
    alive = []
    for day in range(0, 100, 5):
        db.clock_shift = timedelta(days=day, hours=1)
        alive.append(await service.find_session(secret=opened.secret) is not None)

    assert alive == [day < 90 for day in range(0, 100, 5)]


async def test_an_admin_is_signed_out_after_half_an_hour_without_a_visit_and_after_twelve_hours_in_any_case(
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


async def test_that_a_session_was_seen_is_written_once_a_minute(
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


async def test_a_token_lives_for_a_year_without_a_visit(db: Database, service: AccountService, ada: User) -> None:
    token = await service.create_token(user_id=ada.id, name="Calendar")
    db.clock_shift = timedelta(days=364)
    assert await service.find_session(secret=token.secret) is not None
    db.clock_shift = timedelta(days=366)
    assert await service.find_session(secret=token.secret) is None


async def test_a_token_needs_a_user(service: AccountService) -> None:
    with pytest.raises(UserNotFound):
        await service.create_token(user_id=uuid7(), name="Nobody's")


async def test_a_revoked_session_is_nobodys(service: AccountService, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in()
    await service.revoke_session(user_id=ada.id, session_id=opened.session.id)

    assert await service.find_session(secret=opened.secret) is None
    with pytest.raises(SessionNotFound):
        await service.revoke_session(user_id=ada.id, session_id=opened.session.id)


@pytest.mark.usefixtures("ada")
async def test_nobody_ends_the_session_of_somebody_else(service: AccountService, sign_in: SignIn) -> None:
    opened = await sign_in()
    with pytest.raises(SessionNotFound):
        await service.revoke_session(user_id=uuid7(), session_id=opened.session.id)

    assert await service.find_session(secret=opened.secret) is not None


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "ä" * 43, "\x00" * 43, "x" * 100_000])
async def test_what_is_no_secret_is_nobodys(service: AccountService, secret: str) -> None:
    assert await service.find_session(secret=secret) is None


async def test_expired_sessions_are_swept_away_and_live_ones_stay(
    db: Database, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    await sign_in()
    token = await service.create_token(user_id=ada.id, name="Calendar")
    db.clock_shift = timedelta(days=100)
    await service.drop_expired()

    async with db.read() as tx:
        assert await tx.scalars(select(SessionRow.id)) == [token.session.id]
