from pathlib import Path

import pytest

from fairground.contracts.accounts import Role, User
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.emails import AccountEmails, MailReset, MailVerification
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database
from fairground.platform.mail.mailer import FolderMailer, MailNotSent
from tests.modules.accounts.stand_ins import PASSWORD, MailFolder


@pytest.fixture
def mail(tmp_path: Path) -> MailFolder:
    return MailFolder(tmp_path / "mail")


@pytest.fixture
async def eve(service: AccountService) -> User:
    return await service.create_user(
        email="eve@example.org", password=PASSWORD, name="Eve <b>", role=Role.PROVIDER, email_verified=False
    )


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
    assert "Hello Eve &lt;b&gt;," in html.get_content()


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
    assert set(MailReset.model_fields) == set(MailVerification.model_fields) == {"user_id"}
