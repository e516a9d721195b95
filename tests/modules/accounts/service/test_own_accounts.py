"""What users do with their own account: details, another address, becoming a provider, and closing it."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from fairground.contracts.accounts import (
    AccountClosed,
    AccountInUse,
    AccountStatus,
    EmailChanged,
    EmailTaken,
    EmailUnchanged,
    EmailVerified,
    LastAdmin,
    LinkUnusable,
    LiveBooking,
    NameUnfit,
    NotForStaff,
    PhoneUnfit,
    Role,
    SessionKind,
    TooManyAttempts,
    User,
    WrongCredentials,
)
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.module import build_own_service
from fairground.modules.accounts.service import AccountService, OwnAccountService
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import AccountEmails, MailEmailNotice, MailNewEmail
from fairground.modules.accounts.service.passwords import PasswordHasher
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database
from tests.modules.accounts.conftest import SignIn
from tests.modules.accounts.stand_ins import PASSWORD, MailFolder
from tests.support.outbox import RecordingOutbox

NEW_EMAIL = "ada.lovelace@example.net"


@dataclass
class Obligations:
    bookings: list[LiveBooking] = field(default_factory=list)

    async def list_live_bookings(self, *, user_id: UUID) -> list[LiveBooking]:  # noqa: ARG002
        return self.bookings


@pytest.fixture
def obligations() -> Obligations:
    return Obligations()


@pytest.fixture
def own(
    db: Database,
    attempts: AttemptLimiter,
    hasher: PasswordHasher,
    settings: AccountsSettings,
    obligations: Obligations,
) -> OwnAccountService:
    return build_own_service(
        db=db, attempts=attempts, hasher=hasher, settings=settings, obligations=lambda: obligations
    )


async def request_change(
    own: OwnAccountService, user: User, *, email: str = NEW_EMAIL, password: str = PASSWORD
) -> None:
    await own.request_email_change(user_id=user.id, session_id=uuid7(), email=email, password=password)


async def change_token(emails: AccountEmails, user: User) -> str:
    opened = await emails.open_change_link(user_id=user.id)
    assert opened is not None
    return opened[1]


async def test_name_and_telephone_are_changed_one_by_one(own: OwnAccountService, ada: User) -> None:
    changed = await own.change_details(user_id=ada.id, changes={"phone": " +47 22 33 44 55 "})
    assert (changed.name, changed.phone) == ("Ada", "+47 22 33 44 55")
    changed = await own.change_details(user_id=ada.id, changes={"name": "Ada  King"})
    assert (changed.name, changed.phone) == ("Ada King", "+47 22 33 44 55")
    changed = await own.change_details(user_id=ada.id, changes={"phone": None})
    assert (changed, await own.get_own_account(user_id=ada.id)) == (changed, changed)
    assert changed.phone is None


async def test_details_that_cannot_be_are_refused(own: OwnAccountService, ada: User) -> None:
    with pytest.raises(NameUnfit):
        await own.change_details(user_id=ada.id, changes={"name": " "})
    for phone in ("call me", "12", "+" * 9, "1" * 41):
        with pytest.raises(PhoneUnfit):
            await own.change_details(user_id=ada.id, changes={"phone": phone})


async def test_telephone_is_in_no_view_that_other_modules_have(
    own: OwnAccountService, service: AccountService, ada: User
) -> None:
    await own.change_details(user_id=ada.id, changes={"phone": "+47 22 33 44 55"})
    assert "22 33" not in (await service.get_user(user_id=ada.id)).model_dump_json()


async def test_customer_becomes_a_provider_once(own: OwnAccountService, service: AccountService, ada: User) -> None:
    for _ in range(2):
        assert (await own.become_provider(user_id=ada.id)).role is Role.PROVIDER
    assert (await service.get_user(user_id=ada.id)).role is Role.PROVIDER


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMIN])
async def test_staff_does_not_become_a_provider(own: OwnAccountService, service: AccountService, role: Role) -> None:
    staff = await service.create_user(email="sam@example.org", password=PASSWORD, name="Sam", role=role)
    with pytest.raises(NotForStaff):
        await own.become_provider(user_id=staff.id)


async def test_address_changes_when_the_link_is_used_and_not_before(
    own: OwnAccountService, service: AccountService, emails: AccountEmails, outbox: RecordingOutbox, ada: User
) -> None:
    await request_change(own, ada)
    pending = await own.get_own_account(user_id=ada.id)
    assert (pending.email, pending.pending_email and pending.pending_email.email) == (ada.email, NEW_EMAIL)
    assert outbox.jobs == [MailNewEmail(user_id=ada.id), MailEmailNotice(user_id=ada.id)]
    outbox.events.clear()

    changed = await own.confirm_email_change(token=await change_token(emails, ada))
    assert (changed.email, changed.email_verified) == (NEW_EMAIL, True)
    assert (await own.get_own_account(user_id=ada.id)).pending_email is None
    assert outbox.events == [EmailChanged(user_id=ada.id)]
    await service.sign_in(email=NEW_EMAIL, password=PASSWORD, kind=SessionKind.BROWSER, name="", client="a")
    with pytest.raises(WrongCredentials):
        await service.sign_in(email=ada.email, password=PASSWORD, kind=SessionKind.BROWSER, name="", client="a")


async def test_new_address_counts_as_confirmed_where_the_old_one_was_not(
    own: OwnAccountService, service: AccountService, emails: AccountEmails, outbox: RecordingOutbox
) -> None:
    eve = await service.create_user(
        email="eve@example.org", password=PASSWORD, name="Eve", role=Role.PROVIDER, email_verified=False
    )
    opened = await emails.open_verification_link(user_id=eve.id)
    assert opened is not None
    await request_change(own, eve)
    outbox.events.clear()
    assert (await own.confirm_email_change(token=await change_token(emails, eve))).email_verified
    assert outbox.events == [EmailChanged(user_id=eve.id), EmailVerified(user_id=eve.id)]
    with pytest.raises(LinkUnusable):
        await service.verify_email(token=opened[1])


async def test_reset_link_of_the_old_address_cannot_be_used_after_the_change(
    own: OwnAccountService, service: AccountService, emails: AccountEmails, ada: User
) -> None:
    reset = await emails.open_reset_link(user_id=ada.id)
    assert reset is not None
    await request_change(own, ada)
    await own.confirm_email_change(token=await change_token(emails, ada))
    with pytest.raises(LinkUnusable):
        await service.reset_password(token=reset[1], password="another password")


async def test_link_of_a_cancelled_replaced_used_or_old_change_cannot_be_used(
    own: OwnAccountService, emails: AccountEmails, db: Database, ada: User
) -> None:
    await request_change(own, ada)
    cancelled = await change_token(emails, ada)
    assert (await own.cancel_email_change(user_id=ada.id)).pending_email is None
    assert await emails.open_change_link(user_id=ada.id) is None
    await request_change(own, ada, email="other@example.net")
    replaced = await change_token(emails, ada)
    await request_change(own, ada)
    used = await change_token(emails, ada)
    expired = await change_token(emails, ada)
    for token in (cancelled, replaced, "guess"):
        with pytest.raises(LinkUnusable):
            await own.confirm_email_change(token=token)
    db.clock_shift = timedelta(hours=73)
    with pytest.raises(LinkUnusable):
        await own.confirm_email_change(token=expired)
    assert (await own.get_own_account(user_id=ada.id)).pending_email is None
    db.clock_shift = timedelta(0)
    await own.confirm_email_change(token=used)
    with pytest.raises(LinkUnusable):
        await own.confirm_email_change(token=used)


async def test_address_that_is_taken_or_unchanged_is_refused(
    own: OwnAccountService, service: AccountService, emails: AccountEmails, ada: User
) -> None:
    with pytest.raises(EmailUnchanged):
        await request_change(own, ada, email="ADA@example.org")
    await service.create_user(email="bob@example.org", password=PASSWORD, name="Bob", role=Role.CUSTOMER)
    with pytest.raises(EmailTaken):
        await request_change(own, ada, email="bob@example.org")
    await request_change(own, ada)
    token = await change_token(emails, ada)
    await service.create_user(email=NEW_EMAIL, password=PASSWORD, name="Carl", role=Role.CUSTOMER)
    with pytest.raises(EmailTaken):
        await own.confirm_email_change(token=token)
    assert (await own.get_own_account(user_id=ada.id)).email == ada.email


async def take_address_at_once(
    own: OwnAccountService, service: AccountService, emails: AccountEmails
) -> list[User | BaseException]:
    """Confirm one new address for five accounts, and register another account with it, all at once."""
    users = [
        await service.create_user(email=f"u{n}@example.org", password=PASSWORD, name=f"U{n}", role=Role.CUSTOMER)
        for n in range(5)
    ]
    tokens = []
    for user in users:
        await request_change(own, user)
        tokens.append(await change_token(emails, user))
    start = asyncio.Barrier(len(tokens) + 1)

    async def confirm(token: str) -> User:
        await start.wait()
        return await own.confirm_email_change(token=token)

    async def register() -> User:
        await start.wait()
        return await service.register(email=NEW_EMAIL, password=PASSWORD, name="Zoe", role=Role.CUSTOMER, client="a")

    return await asyncio.gather(*map(confirm, tokens), register(), return_exceptions=True)


async def test_one_of_many_accounts_gets_an_address_that_they_confirm_at_once(
    own: OwnAccountService, service: AccountService, emails: AccountEmails
) -> None:
    outcomes = await take_address_at_once(own, service, emails)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, EmailTaken) for outcome in outcomes) == 5, outcomes


async def test_without_the_unique_constraint_many_accounts_get_the_address(
    db: Database, own: OwnAccountService, service: AccountService, emails: AccountEmails
) -> None:
    """The negative control: the constraint refuses the other accounts."""
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("accounts_user") as table:
            table.drop_constraint(operations.f("uq_accounts_user__email"), type_="unique")
    engine.dispose()
    outcomes = await take_address_at_once(own, service, emails)
    assert sum(isinstance(outcome, User) for outcome in outcomes) > 1, outcomes


async def test_wrong_passwords_for_a_change_are_limited_as_at_sign_in(own: OwnAccountService, ada: User) -> None:
    session_id = uuid7()
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await own.request_email_change(user_id=ada.id, session_id=session_id, email=NEW_EMAIL, password="wrong")
    for attempt in (
        own.request_email_change(user_id=ada.id, session_id=session_id, email=NEW_EMAIL, password=PASSWORD),
        own.close_account(user_id=ada.id, session_id=session_id, password=PASSWORD),
    ):
        with pytest.raises(TooManyAttempts):
            await attempt


async def test_changes_of_address_are_limited(own: OwnAccountService, ada: User) -> None:
    for number in range(3):
        await request_change(own, ada, email=f"ada{number}@example.net")
    with pytest.raises(TooManyAttempts):
        await request_change(own, ada)


async def test_new_address_gets_the_link_and_the_old_one_a_notice(
    own: OwnAccountService, emails: AccountEmails, tmp_path: Path, ada: User
) -> None:
    await request_change(own, ada)
    await emails.send_new_email(MailNewEmail(user_id=ada.id))
    await emails.send_email_notice(MailEmailNotice(user_id=ada.id))
    mail = MailFolder(tmp_path / "mail")
    texts = {str(message["To"]): message.get_body(("plain",)).get_content() for message in mail.messages()}  # type: ignore[union-attr]
    assert set(texts) == {NEW_EMAIL, ada.email}
    assert "/change-email?token=" in texts[NEW_EMAIL]
    assert NEW_EMAIL in texts[ada.email]
    assert "token" not in texts[ada.email]


async def test_mails_of_a_cancelled_change_are_not_sent(
    own: OwnAccountService, emails: AccountEmails, tmp_path: Path, ada: User
) -> None:
    await request_change(own, ada)
    await own.cancel_email_change(user_id=ada.id)
    await emails.send_new_email(MailNewEmail(user_id=ada.id))
    await emails.send_email_notice(MailEmailNotice(user_id=ada.id))
    assert MailFolder(tmp_path / "mail").messages() == []


async def test_closed_account_is_erased_and_its_address_is_free(
    own: OwnAccountService, service: AccountService, sign_in: SignIn, outbox: RecordingOutbox, ada: User
) -> None:
    browser, token = await sign_in(), await service.create_token(user_id=ada.id, name="Calendar")
    await own.change_details(user_id=ada.id, changes={"phone": "+47 22 33 44 55"})
    await request_change(own, ada)
    outbox.events.clear()
    await own.close_account(user_id=ada.id, session_id=browser.session.id, password=PASSWORD)

    closed = await own.get_own_account(user_id=ada.id)
    assert (closed.name, closed.phone, closed.pending_email) == ("Closed account", None, None)
    assert (closed.status, closed.email_verified) == (AccountStatus.CLOSED, False)
    assert "ada" not in closed.email
    assert outbox.events == [AccountClosed(user_id=ada.id, version=1)]
    for secret in (browser.secret, token.secret):
        assert await service.find_session(secret=secret) is None
    for email in (ada.email, closed.email):
        with pytest.raises(WrongCredentials):
            await sign_in(email)
    again = await service.register(
        email=ada.email, password=PASSWORD, name="Ada", role=Role.CUSTOMER, client="203.0.113.7"
    )
    assert (await sign_in()).user.id == again.id != ada.id


async def test_account_with_future_bookings_is_not_closed(
    own: OwnAccountService, obligations: Obligations, ada: User
) -> None:
    booking = LiveBooking(
        booking_id=uuid7(),
        service_name="Evening set",
        starts_at=datetime(2030, 1, 1, tzinfo=UTC),
        timezone="Europe/Oslo",
        side="customer",
    )
    obligations.bookings.append(booking)
    with pytest.raises(AccountInUse) as refused:
        await own.close_account(user_id=ada.id, session_id=uuid7(), password=PASSWORD)
    assert refused.value.context["bookings"] == [booking.model_dump(mode="json")]
    assert (await own.get_own_account(user_id=ada.id)).status is AccountStatus.ACTIVE


async def test_last_admin_cannot_close_the_account(own: OwnAccountService, service: AccountService) -> None:
    first, second = [
        await service.create_user(email=f"admin{n}@example.org", password=PASSWORD, name="Admin", role=Role.ADMIN)
        for n in range(2)
    ]
    await own.close_account(user_id=first.id, session_id=uuid7(), password=PASSWORD)
    with pytest.raises(LastAdmin):
        await own.close_account(user_id=second.id, session_id=uuid7(), password=PASSWORD)
