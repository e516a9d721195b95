import asyncio
from datetime import timedelta

import pytest

from fairground.contracts.accounts import EmailVerified, LinkUnusable, Role, TooManyAttempts, User, UserNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.emails import AccountEmails, MailVerification
from fairground.platform.db.database import Database
from tests.modules.accounts.stand_ins import PASSWORD
from tests.support.outbox import RecordingOutbox


@pytest.fixture
async def eve(service: AccountService, outbox: RecordingOutbox) -> User:
    """A user whose address is not verified."""
    user = await service.create_user(
        email="eve@example.org", password=PASSWORD, name="Eve", role=Role.PROVIDER, email_verified=False
    )
    outbox.events.clear()
    return user


async def token_of(emails: AccountEmails, user: User) -> str:
    opened = await emails.open_verification_link(user_id=user.id)
    assert opened is not None
    return opened[1]


async def test_link_verifies_the_address_and_emits_one_event(
    emails: AccountEmails, service: AccountService, outbox: RecordingOutbox, eve: User
) -> None:
    token, other = await token_of(emails, eve), await token_of(emails, eve)
    user = await service.verify_email(token=token)

    assert user.email_verified
    assert outbox.events == [EmailVerified(user_id=eve.id)]
    for used in (token, other):
        with pytest.raises(LinkUnusable):
            await service.verify_email(token=used)


async def test_link_used_concurrently_verifies_once(
    emails: AccountEmails, service: AccountService, outbox: RecordingOutbox, eve: User
) -> None:
    tokens = [await token_of(emails, eve) for _ in range(3)] * 3
    outcomes = await asyncio.gather(*(service.verify_email(token=token) for token in tokens), return_exceptions=True)

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkUnusable) for outcome in outcomes) == 8
    assert outbox.events == [EmailVerified(user_id=eve.id)]


async def test_link_lasts_three_days(emails: AccountEmails, db: Database, service: AccountService, eve: User) -> None:
    token = await token_of(emails, eve)
    db.clock_shift = timedelta(hours=73)
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=token)


@pytest.mark.parametrize("token", ["", "guess", "x" * 43, "\x00" * 43])
async def test_invented_link_is_refused(service: AccountService, token: str) -> None:
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=token)


async def test_password_link_verifies_no_address(emails: AccountEmails, service: AccountService, eve: User) -> None:
    opened = await emails.open_reset_link(user_id=eve.id)
    assert opened is not None
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=opened[1])


async def test_verified_address_gets_no_verification_mail(
    emails: AccountEmails, service: AccountService, outbox: RecordingOutbox, ada: User
) -> None:
    await service.send_verification(user_id=ada.id)

    assert outbox.jobs == []
    assert await emails.open_verification_link(user_id=ada.id) is None


async def test_verification_mail_is_sent_at_most_three_times_an_hour(
    service: AccountService, outbox: RecordingOutbox, eve: User
) -> None:
    for _ in range(3):
        await service.send_verification(user_id=eve.id)
    with pytest.raises(TooManyAttempts):
        await service.send_verification(user_id=eve.id)

    assert outbox.jobs == [MailVerification(user_id=eve.id)] * 3


async def test_unknown_user_has_nothing_to_verify(emails: AccountEmails, service: AccountService) -> None:
    with pytest.raises(UserNotFound):
        await service.send_verification(user_id=uuid7())
    assert await emails.open_verification_link(user_id=uuid7()) is None
