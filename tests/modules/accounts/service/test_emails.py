import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from fairground.contracts.accounts import EmailVerified, LinkUnusable, Role, TooManyAttempts, User, UserNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.emails import AccountEmails, MailReset, MailVerification
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database
from fairground.platform.mail.mailer import FolderMailer, MailNotSent
from tests.modules.accounts.stand_ins import PASSWORD, MailFolder
from tests.support.outbox import RecordingOutbox


@pytest.fixture
def mail(tmp_path: Path) -> MailFolder:
    return MailFolder(tmp_path / "mail")


@pytest.fixture
async def eve(service: AccountService, outbox: RecordingOutbox) -> User:
    """A user whose address is not verified."""
    user = await service.create_user(
        email="eve@example.org", password=PASSWORD, name="Eve <b>", role=Role.PROVIDER, email_verified=False
    )
    outbox.events.clear()
    return user


async def test_mail_links_to_the_page_and_says_how_long_the_link_lasts(
    emails: AccountEmails, mail: MailFolder, eve: User
) -> None:
    await emails.send_verification(MailVerification(user_id=eve.id))

    (message,) = mail.messages()
    text, html = (message.get_body((form,)) for form in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert message["To"] == "eve@example.org"
    assert "https://fair.example/verify-email?token=" in text.get_content()
    assert "within 3 days" in text.get_content()
    assert "Hi Eve &lt;b&gt;," in html.get_content()


async def test_mail_that_is_sent_twice_has_two_links_that_both_work(
    emails: AccountEmails, service: AccountService, mail: MailFolder, eve: User
) -> None:
    await emails.send_reset(MailReset(user_id=eve.id))
    path, first = mail.last_link()
    await emails.send_reset(MailReset(user_id=eve.id))
    _, second = mail.last_link()

    assert path == "/reset-password"
    assert first != second
    await service.reset_password(token=first, password="another password")


async def test_address_verified_in_the_meantime_gets_no_mail(
    emails: AccountEmails, mail: MailFolder, ada: User
) -> None:
    await emails.send_verification(MailVerification(user_id=ada.id))

    assert mail.messages() == []


async def test_mail_that_cannot_be_sent_fails_its_job(
    db: Database, settings: AccountsSettings, tmp_path: Path, eve: User
) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    mailer = FolderMailer(tmp_path / "mail", sender="no-reply@fair.example")
    emails = AccountEmails(db=db, mailer=mailer, settings=settings, public_url="https://fair.example")

    with pytest.raises(MailNotSent):
        await emails.send_verification(MailVerification(user_id=eve.id))


def test_job_carries_an_id_and_no_secret() -> None:
    assert set(MailReset.model_fields) == {"user_id"}
    assert set(MailVerification.model_fields) == {"user_id", "next_path"}


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
