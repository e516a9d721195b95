import asyncio
import os
import threading
import time
from datetime import timedelta
from typing import Any

import argon2
import pytest

from fairground.contracts.accounts import (
    HasherBusy,
    LinkUnusable,
    PasswordUnfit,
    Role,
    SessionNotFound,
    TooManyAttempts,
    User,
    WrongCredentials,
)
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.domain import new_secret
from fairground.modules.accounts.service import AccountService, passwords
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import AccountEmails, MailReset
from fairground.modules.accounts.service.passwords import PasswordHasher, default_algorithm
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database, WriteTx
from tests.modules.accounts.conftest import SignIn
from tests.modules.accounts.stand_ins import PASSWORD, CountingAlgorithm
from tests.support.outbox import RecordingOutbox

NEW = "another password"


async def reset_token(emails: AccountEmails, user: User) -> str:
    opened = await emails.open_reset_link(user_id=user.id)
    assert opened is not None
    return opened[1]


async def test_reset_is_mailed_to_addresses_with_an_account_only(
    service: AccountService, outbox: RecordingOutbox, ada: User
) -> None:
    await service.request_password_reset(email=" ADA@example.org", client="a")
    await service.request_password_reset(email="unknown@example.org", client="a")
    await service.request_password_reset(email="no address\x00", client="a")

    assert outbox.jobs == [MailReset(user_id=ada.id)]


@pytest.mark.parametrize("email", ["ada@example.org", "unknown@example.org"])
@pytest.mark.usefixtures("ada")
async def test_resets_of_one_account_by_one_client_are_limited_for_known_and_unknown_alike(
    service: AccountService, email: str
) -> None:
    for _ in range(3):
        await service.request_password_reset(email=email, client="a")
    with pytest.raises(TooManyAttempts):
        await service.request_password_reset(email=email, client="a")


@pytest.mark.usefixtures("ada")
async def test_requests_of_others_send_at_most_12_mails_and_leave_a_usable_link(
    service: AccountService, outbox: RecordingOutbox
) -> None:
    for number in range(40):
        await service.request_password_reset(email="ada@example.org", client=f"client {number}")
    mails = len(outbox.jobs)
    await service.request_password_reset(email="ada@example.org", client="the holder's")

    # The links in the mailbox can be used until the next mail is sent.
    assert mails == len(outbox.jobs) == 12


async def test_resets_from_one_client_are_limited(service: AccountService) -> None:
    for number in range(30):
        await service.request_password_reset(email=f"user{number}@example.org", client="a")
    with pytest.raises(TooManyAttempts):
        await service.request_password_reset(email="last@example.org", client="a")


async def test_after_a_reset_only_the_new_password_signs_in(
    emails: AccountEmails, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    await service.reset_password(token=await reset_token(emails, ada), password=NEW)

    assert (await sign_in(password=NEW)).user.id == ada.id
    with pytest.raises(WrongCredentials):
        await sign_in(password=PASSWORD)


async def test_reset_ends_sessions_tokens_and_the_other_links(
    emails: AccountEmails, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    browser = await sign_in()
    token = await service.create_token(user_id=ada.id, name="Calendar")
    used, other = await reset_token(emails, ada), await reset_token(emails, ada)
    await service.reset_password(token=used, password=NEW)

    assert await service.find_session(secret=browser.secret) is None
    assert await service.find_session(secret=token.secret) is None
    for link in (used, other):
        with pytest.raises(LinkUnusable):
            await service.reset_password(token=link, password=NEW)


async def test_reset_clears_the_limits_of_every_client_and_the_total(
    emails: AccountEmails, service: AccountService, sign_in: SignIn, ada: User, settings: AccountsSettings
) -> None:
    for number in range(settings.sign_in_tries_per_account_in_all):
        with pytest.raises(WrongCredentials):
            await sign_in(password=f"wrong password {number}", client=f"client {number // 5}")
    for client in ("client 0", "another"):
        with pytest.raises(TooManyAttempts):
            await sign_in(client=client)
    await service.request_password_reset(email=ada.email, client="client 0")
    await service.reset_password(token=await reset_token(emails, ada), password=NEW)

    for client in ("client 0", "another"):
        await sign_in(password=NEW, client=client)


async def test_reset_link_lasts_an_hour(
    emails: AccountEmails, db: Database, service: AccountService, ada: User
) -> None:
    token = await reset_token(emails, ada)
    db.clock_shift = timedelta(minutes=61)
    with pytest.raises(LinkUnusable):
        await service.reset_password(token=token, password=NEW)


async def test_refused_password_leaves_the_link_usable(
    emails: AccountEmails, service: AccountService, ada: User
) -> None:
    token = await reset_token(emails, ada)
    with pytest.raises(PasswordUnfit):
        await service.reset_password(token=token, password="password")

    await service.reset_password(token=token, password=NEW)


async def test_invented_link_costs_no_hash(service: AccountService, algorithm: CountingAlgorithm) -> None:
    before = algorithm.computations
    for token in ("", "guess", new_secret(), "\x00" * 43):
        with pytest.raises(LinkUnusable):
            await service.reset_password(token=token, password=NEW)
    assert algorithm.computations == before


async def test_verification_link_sets_no_password(emails: AccountEmails, service: AccountService) -> None:
    user = await service.create_user(
        email="eve@example.org", password=PASSWORD, name="Eve", role=Role.PROVIDER, email_verified=False
    )
    opened = await emails.open_verification_link(user_id=user.id)
    assert opened is not None

    with pytest.raises(LinkUnusable):
        await service.reset_password(token=opened[1], password=NEW)


async def test_one_of_many_concurrent_uses_of_a_link_succeeds(
    emails: AccountEmails, service: AccountService, ada: User
) -> None:
    token = await reset_token(emails, ada)
    uses = (service.reset_password(token=token, password=f"{NEW} {number}") for number in range(8))
    outcomes = await asyncio.gather(*uses, return_exceptions=True)

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkUnusable) for outcome in outcomes) == 7


async def test_concurrent_uses_of_links_of_one_account_do_not_deadlock(
    emails: AccountEmails, service: AccountService, ada: User
) -> None:
    tokens = [await reset_token(emails, ada) for _ in range(8)]
    uses = (service.reset_password(token=token, password=f"{NEW} {n}") for n, token in enumerate(tokens))
    outcomes = await asyncio.gather(*uses, return_exceptions=True)

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkUnusable) for outcome in outcomes) == 7


async def test_sign_in_that_overlaps_a_reset_leaves_no_session_of_the_old_password(
    attempts: AttemptLimiter, emails: AccountEmails, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    token = await reset_token(emails, ada)
    signing_in = asyncio.ensure_future(sign_in())
    verified, may_go_on = pause_after_verifying(attempts)
    await verified.wait()
    await service.reset_password(token=token, password=NEW)
    may_go_on.set()

    with pytest.raises(WrongCredentials):
        await signing_in
    assert await service.list_sessions(user_id=ada.id) == []


@pytest.fixture
def without_second_check(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trust(_tx: WriteTx, _found: object) -> None: ...

    monkeypatch.setattr("fairground.modules.accounts.service.sign_in._refuse_if_changed", trust)


@pytest.mark.usefixtures("without_second_check")
async def test_control_without_the_second_check_the_old_password_keeps_a_session(
    attempts: AttemptLimiter, emails: AccountEmails, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    token = await reset_token(emails, ada)
    signing_in = asyncio.ensure_future(sign_in())
    verified, may_go_on = pause_after_verifying(attempts)
    await verified.wait()
    await service.reset_password(token=token, password=NEW)
    may_go_on.set()
    await signing_in

    assert len(await service.list_sessions(user_id=ada.id)) == 1


def pause_after_verifying(attempts: AttemptLimiter) -> tuple[asyncio.Event, asyncio.Event]:
    """Stop the next sign-in between the verified password and the transaction that opens the session."""
    verified, may_go_on = asyncio.Event(), asyncio.Event()

    async def pause(**_: str) -> None:
        verified.set()
        await may_go_on.wait()

    attempts.uncount_password = pause  # type: ignore[method-assign]
    return verified, may_go_on


async def test_changed_password_ends_every_session_and_replaces_the_current_one(
    service: AccountService, sign_in: SignIn, ada: User
) -> None:
    mine, other = await sign_in(name="Mine"), await sign_in(name="Other")
    opened = await service.change_password(user_id=ada.id, session_id=mine.session.id, current=PASSWORD, new=NEW)

    assert await service.find_session(secret=mine.secret) is None
    assert await service.find_session(secret=other.secret) is None
    assert await service.find_session(secret=opened.secret) == (opened.session, ada)
    assert (opened.session.kind, opened.session.name) == (mine.session.kind, "Mine")


async def test_wrong_current_passwords_of_one_session_are_limited(
    service: AccountService, sign_in: SignIn, ada: User
) -> None:
    mine = await sign_in()
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await service.change_password(
                user_id=ada.id, session_id=mine.session.id, current=f"wrong password {number}", new=NEW
            )
    with pytest.raises(TooManyAttempts):
        await service.change_password(user_id=ada.id, session_id=mine.session.id, current=PASSWORD, new=NEW)


async def test_wrong_current_passwords_of_one_session_do_not_limit_another(
    service: AccountService, sign_in: SignIn, ada: User
) -> None:
    stolen, mine = await sign_in(), await sign_in()
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await service.change_password(
                user_id=ada.id, session_id=stolen.session.id, current=f"wrong password {number}", new=NEW
            )

    await service.change_password(user_id=ada.id, session_id=mine.session.id, current=PASSWORD, new=NEW)


async def test_password_is_not_changed_from_an_ended_session(
    service: AccountService, sign_in: SignIn, ada: User
) -> None:
    with pytest.raises(SessionNotFound):
        await service.change_password(user_id=ada.id, session_id=uuid7(), current=PASSWORD, new=NEW)

    await sign_in(password=PASSWORD)


async def test_well_known_new_password_is_refused(service: AccountService, sign_in: SignIn, ada: User) -> None:
    mine = await sign_in()
    with pytest.raises(PasswordUnfit):
        await service.change_password(user_id=ada.id, session_id=mine.session.id, current=PASSWORD, new="12345678")


class SlowAlgorithm(CountingAlgorithm):
    """Records the greatest number of threads that hashed at the same time."""

    def __init__(self) -> None:
        self.most_at_once = 0
        self._inside = 0
        self._lock = threading.Lock()
        super().__init__()

    def hash(self, *arguments: Any, **options: Any) -> str:
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
        time.sleep(0.02)
        with self._lock:
            self._inside -= 1
        return super().hash(*arguments, **options)


async def test_hashes_run_on_at_most_the_cores_of_the_process() -> None:
    algorithm = SlowAlgorithm()
    hasher = PasswordHasher(algorithm)
    await asyncio.gather(*(hasher.hash("a password") for _ in range(12)))
    hasher.close()

    assert 0 < algorithm.most_at_once <= len(os.sched_getaffinity(0))


async def test_process_with_one_core_of_many_hashes_one_password_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    algorithm = SlowAlgorithm()
    hasher = PasswordHasher(algorithm)
    await asyncio.gather(*(hasher.hash("a password") for _ in range(6)))
    hasher.close()

    assert algorithm.most_at_once == 1


async def test_password_beyond_the_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(passwords, "_QUEUE_PER_CORE", 3)
    hasher = PasswordHasher(SlowAlgorithm())
    outcomes = await asyncio.gather(*(hasher.hash("a password") for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(outcome, HasherBusy) for outcome in outcomes) == 5

    # The queue has room again, also after cancelled callers.
    for _ in range(9):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hasher.hash("a password"), timeout=0.001)
        await asyncio.sleep(0.1)
    assert (await hasher.hash("a password")).startswith("$argon2id$")
    hasher.close()


async def test_event_loop_runs_while_a_password_is_hashed() -> None:
    hasher = PasswordHasher(SlowAlgorithm())
    hashing = asyncio.ensure_future(hasher.hash("a password"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    hasher.close()

    assert turns > 10


async def test_missing_hash_costs_one_verification_and_no_password_matches_it() -> None:
    algorithm = CountingAlgorithm()
    hasher = PasswordHasher(algorithm)
    before = algorithm.computations
    answers = [await hasher.verify(password, against=None) for password in ("", "a password")]
    hasher.close()

    assert answers == [False, False]
    assert algorithm.computations - before == 2


def test_dummy_hash_has_the_parameters_of_a_real_one_and_is_random() -> None:
    algorithm = default_algorithm()
    first, second = (PasswordHasher(algorithm)._dummy_hash for _ in range(2))

    assert argon2.extract_parameters(first) == argon2.extract_parameters(algorithm.hash("a password"))
    assert first != second


@pytest.mark.parametrize("stored", ["not a hash", "$argon2id$v=19$m=8,t=1,p=1$broken"])
async def test_broken_hash_matches_no_password(stored: str) -> None:
    hasher = PasswordHasher(CountingAlgorithm())
    assert await hasher.verify("a password", against=stored) is False
    hasher.close()


def test_parameters_are_those_of_the_decision() -> None:
    assert default_algorithm().hash("a password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
