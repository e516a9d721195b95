import asyncio
from datetime import timedelta

import pytest

from fairground.contracts.accounts import EmailVerified, LinkUnusable, Role, TooManyAttempts, User, UserNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.jobs import MailVerification
from fairground.platform.db.database import Database
from tests.modules.accounts.stand_ins import PASSWORD
from tests.support.outbox import RecordingOutbox


@pytest.fixture
async def eve(service: AccountService, outbox: RecordingOutbox) -> User:
    """Somebody whose address is not verified."""
    user = await service.create_user(
        email="eve@example.org", password=PASSWORD, name="Eve", role=Role.PROVIDER, email_verified=False
    )
    outbox.events.clear()
    return user


async def token_of(service: AccountService, user: User) -> str:
    opened = await service.open_verification_link(user_id=user.id)
    assert opened is not None
    return opened[1]


async def test_a_link_verifies_the_address_and_tells_so_once(
    service: AccountService, outbox: RecordingOutbox, eve: User
) -> None:
    token, other = await token_of(service, eve), await token_of(service, eve)
    user = await service.verify_email(token=token)

    assert user.email_verified
    assert outbox.events == [EmailVerified(user_id=eve.id)]
    for used in (token, other):
        with pytest.raises(LinkUnusable):
            await service.verify_email(token=used)


async def test_a_link_used_many_times_at_once_verifies_once(
    service: AccountService, outbox: RecordingOutbox, eve: User
) -> None:
    tokens = [await token_of(service, eve) for _ in range(3)] * 3
    outcomes = await asyncio.gather(*(service.verify_email(token=token) for token in tokens), return_exceptions=True)

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkUnusable) for outcome in outcomes) == 8
    assert outbox.events == [EmailVerified(user_id=eve.id)]


async def test_a_link_lasts_three_days(db: Database, service: AccountService, eve: User) -> None:
    token = await token_of(service, eve)
    db.clock_shift = timedelta(hours=73)
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=token)


@pytest.mark.parametrize("token", ["", "guess", "x" * 43, "\x00" * 43])
async def test_an_invented_link_verifies_nothing(service: AccountService, token: str) -> None:
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=token)


async def test_a_link_that_sets_a_password_verifies_nothing(service: AccountService, eve: User) -> None:
    opened = await service.open_reset_link(user_id=eve.id)
    assert opened is not None
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=opened[1])


async def test_nothing_is_mailed_to_a_verified_address(
    service: AccountService, outbox: RecordingOutbox, ada: User
) -> None:
    await service.send_verification(user_id=ada.id)

    assert outbox.jobs == []
    assert await service.open_verification_link(user_id=ada.id) is None


async def test_the_mail_is_sent_again_three_times_an_hour_at_most(
    service: AccountService, outbox: RecordingOutbox, eve: User
) -> None:
    for _ in range(3):
        await service.send_verification(user_id=eve.id)
    with pytest.raises(TooManyAttempts):
        await service.send_verification(user_id=eve.id)

    assert outbox.jobs == [MailVerification(user_id=eve.id)] * 3


async def test_nobody_has_nothing_to_verify(service: AccountService) -> None:
    with pytest.raises(UserNotFound):
        await service.send_verification(user_id=uuid7())
    assert await service.open_verification_link(user_id=uuid7()) is None
