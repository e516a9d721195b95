import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import (
    HasherBusy,
    Role,
    SessionKind,
    TooManyAttempts,
    User,
    WrongCredentials,
)
from fairground.modules.accounts.domain import SESSIONS_MAX
from fairground.modules.accounts.module import build_service
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.passwords import PasswordHasher
from fairground.modules.accounts.service.sessions import Sessions
from fairground.modules.accounts.settings import AccountsSettings
from fairground.modules.accounts.tables import UserRow
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from tests.modules.accounts.conftest import OpenSessions, ServiceOf, SignIn
from tests.modules.accounts.stand_ins import PASSWORD, CountingAlgorithm
from tests.support.outbox import RecordingOutbox


async def fail_to_sign_in(sign_in: SignIn, *, times: int, email: str = "ada@example.org", client: str = "a") -> None:
    for number in range(times):
        with pytest.raises(WrongCredentials):
            await sign_in(email, f"wrong password {number}", client=client)


@pytest.mark.usefixtures("ada")
async def test_unknown_known_and_impossible_addresses_cost_one_hash_each(
    sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    costs = []
    for email in ("ada@example.org", "unknown@example.org", "not an address", "unknown\x00@example.org", "\ud800"):
        before = algorithm.computations
        with pytest.raises(WrongCredentials):
            await sign_in(email, "wrong password \ud800")
        costs.append(algorithm.computations - before)

    assert costs == [1, 1, 1, 1, 1]


@pytest.mark.usefixtures("ada")
async def test_one_client_has_five_wrong_passwords_hashed_in_any_quarter_of_an_hour(
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
async def test_right_password_is_refused_unhashed_after_five_wrong_ones_of_its_client(
    sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    await fail_to_sign_in(sign_in, times=5)
    before = algorithm.computations

    with pytest.raises(TooManyAttempts) as refusal:
        await sign_in(client="a")
    assert algorithm.computations == before
    assert 0 < refusal.value.retry_after_seconds <= 15 * 60
    assert "reset your password" in refusal.value.hint


@pytest.mark.usefixtures("ada")
async def test_wrong_passwords_of_one_client_lock_out_no_other_client(sign_in: SignIn) -> None:
    for client in ("a", "b", "c"):
        await fail_to_sign_in(sign_in, times=5, client=client)

    await sign_in(client="another")


@pytest.mark.usefixtures("ada")
async def test_wrong_passwords_of_all_clients_together_are_limited(
    db: Database, sign_in: SignIn, settings: AccountsSettings
) -> None:
    most = settings.sign_in_tries_per_account_in_all
    for number in range(most):
        await fail_to_sign_in(sign_in, times=1, client=f"client {number}")
    with pytest.raises(TooManyAttempts) as refusal:
        await sign_in(client="another")
    assert 0 < refusal.value.retry_after_seconds <= 24 * 3600 / most

    # Refused attempts do not use up those of the client.
    for _ in range(9):
        with pytest.raises(TooManyAttempts):
            await sign_in(client="another")
    db.clock_shift = timedelta(hours=24) / most
    await sign_in(client="another")


@pytest.mark.usefixtures("ada")
async def test_concurrent_guesses_of_one_client_are_hashed_five_times(
    sign_in: SignIn, algorithm: CountingAlgorithm
) -> None:
    assert await rush(sign_in, algorithm, clients=1, guesses=30) == 5


@pytest.mark.usefixtures("patience", "ada")
async def test_concurrent_guesses_of_many_clients_are_hashed_up_to_the_total(
    sign_in: SignIn, algorithm: CountingAlgorithm, settings: AccountsSettings
) -> None:
    most = settings.sign_in_tries_per_account_in_all
    assert await rush(sign_in, algorithm, clients=most + 20, guesses=most + 20) == most


async def rush(sign_in: SignIn, algorithm: CountingAlgorithm, *, clients: int, guesses: int) -> int:
    """Guess concurrently; return the number of guesses that were hashed. All others were refused."""
    before = algorithm.computations
    tries = (sign_in(password=f"wrong password {n}", client=f"client {n % clients}") for n in range(guesses))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    hashed = algorithm.computations - before
    assert sum(isinstance(outcome, WrongCredentials) for outcome in outcomes) == hashed
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == guesses - hashed
    return hashed


@pytest.mark.usefixtures("ada")
async def test_right_passwords_are_not_counted_and_do_not_clear_wrong_ones(sign_in: SignIn) -> None:
    for _ in range(12):
        await sign_in()
    await fail_to_sign_in(sign_in, times=4)
    await sign_in(client="a")
    await fail_to_sign_in(sign_in, times=1)

    with pytest.raises(TooManyAttempts):
        await sign_in(client="a")


@pytest.mark.usefixtures("ada")
async def test_one_client_is_limited_across_many_accounts(
    service: AccountService, algorithm: CountingAlgorithm, settings: AccountsSettings
) -> None:
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


async def test_sign_in_fails_unhashed_while_attempts_cannot_be_counted(
    db: Database, hasher: PasswordHasher, algorithm: CountingAlgorithm, settings: AccountsSettings
) -> None:
    unreachable = Database("postgresql://user@127.0.0.1:1/nothing", outbox=RecordingOutbox())
    service = build_service(
        db=db,
        attempts=AttemptLimiter(RateLimiter(unreachable), settings),
        hasher=hasher,
        sessions=Sessions(db=db, settings=settings),
    )
    before = algorithm.computations

    with pytest.raises(DatabaseUnavailable):
        await service.sign_in(
            email="ada@example.org", password=PASSWORD, kind=SessionKind.BROWSER, name="Firefox", client="a"
        )
    assert algorithm.computations == before
    await unreachable.close()


async def test_hash_with_other_parameters_is_replaced_at_sign_in(
    db: Database, service_of: ServiceOf, sign_in: SignIn, ada: User
) -> None:
    async def stored_hash() -> str:
        async with db.read() as tx:
            value: str = await tx.scalar(select(UserRow.password_hash).where(UserRow.id == ada.id))
            return value

    old = await stored_hash()
    stronger = PasswordHasher(CountingAlgorithm(time_cost=2))
    await service_of(stronger).sign_in(
        email=ada.email, password=PASSWORD, kind=SessionKind.BROWSER, name="", client="a"
    )
    stronger.close()

    assert "t=1" in old
    assert "t=2" in await stored_hash()
    await sign_in()


async def test_sign_in_ends_the_session_that_it_replaces_and_no_other(
    service: AccountService, sign_in: SignIn, ada: User
) -> None:
    kept, replaced = await sign_in(), await sign_in()
    new = await sign_in(replaces=replaced.secret)

    assert await service.find_session(secret=replaced.secret) is None
    listed = await service.list_sessions(user_id=ada.id)
    assert {session.id for session in listed} == {kept.session.id, new.session.id}


@pytest.mark.usefixtures("ada")
async def test_failed_sign_in_ends_no_session(service: AccountService, sign_in: SignIn) -> None:
    held = await sign_in()
    with pytest.raises(WrongCredentials):
        await sign_in(password="wrong password", replaces=held.secret)

    assert await service.find_session(secret=held.secret) is not None


@pytest.mark.parametrize("kind", list(SessionKind))
async def test_sign_in_beyond_100_sessions_ends_the_least_recently_seen(
    db: Database, service: AccountService, open_sessions: OpenSessions, sign_in: SignIn, kind: SessionKind
) -> None:
    ada = await service.create_user(email="ada@example.org", password=PASSWORD, name="Ada", role=Role.CUSTOMER)
    opened = await open_sessions(ada, kind=kind, count=SESSIONS_MAX)
    db.clock_shift = timedelta(minutes=2)
    assert await service.find_session(secret=opened[0].secret) is not None
    newest = await sign_in(kind=kind)

    live = {session.id for session in await service.list_sessions(user_id=ada.id)}
    assert live == {session.session.id for session in [opened[0], *opened[2:], newest]}


async def test_attempt_that_the_hasher_has_no_room_for_is_not_counted(
    hasher: PasswordHasher, sign_in: SignIn, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> bool:
        raise HasherBusy("Too many wait.")

    with monkeypatch.context() as patch:
        patch.setattr(hasher, "verify", refuse)
        for _ in range(9):
            with pytest.raises(HasherBusy):
                await sign_in()
    assert (await sign_in()).user == ada
