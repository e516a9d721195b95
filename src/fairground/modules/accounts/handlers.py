"""Job bodies of accounts. Tokens are made here, where the mail is sent, so that no message ever carries one."""

from fairground.modules.accounts import letters
from fairground.modules.accounts.domain import LinkPurpose, link_lifetime
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.jobs import DropExpired, MailReset, MailVerification
from fairground.platform.mail.mailer import Mailer


class AccountHandlers:
    """Mails go out at least once: each repetition carries a link of its own, and any of them works."""

    def __init__(self, service: AccountService, *, mailer: Mailer, public_url: str) -> None:
        self._service = service
        self._mailer = mailer
        self._public_url = public_url.rstrip("/")

    async def mail_verification(self, job: MailVerification) -> None:
        opened = await self._service.open_verification_link(user_id=job.user_id)
        if opened is None:
            return
        user, token = opened
        lasts = link_lifetime(self._service.settings, purpose=LinkPurpose.VERIFY_EMAIL)
        link = f"{self._public_url}/verify-email?token={token}"
        await self._mailer.send(letters.verification(user, link=link, lasts=lasts))

    async def mail_reset(self, job: MailReset) -> None:
        opened = await self._service.open_reset_link(user_id=job.user_id)
        if opened is None:
            return
        user, token = opened
        lasts = link_lifetime(self._service.settings, purpose=LinkPurpose.RESET_PASSWORD)
        link = f"{self._public_url}/reset-password?token={token}"
        await self._mailer.send(letters.reset(user, link=link, lasts=lasts))

    async def drop_expired(self, _job: DropExpired) -> None:
        await self._service.drop_expired()
