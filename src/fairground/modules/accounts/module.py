"""Builds accounts."""

from datetime import timedelta

from fairground.contracts.accounts import Accounts
from fairground.modules.accounts import http
from fairground.modules.accounts.authenticator import SessionAuthenticator
from fairground.modules.accounts.handlers import AccountHandlers
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.gate import Gate
from fairground.modules.accounts.service.hashing import PasswordHasher, default_algorithm, load_well_known_passwords
from fairground.modules.accounts.service.jobs import DropExpired, MailReset, MailVerification
from fairground.modules.accounts.settings import AccountsSettings
from fairground.modules.accounts.tables import history
from fairground.platform.http.identity import Authenticator
from fairground.platform.links import Links
from fairground.platform.module import Module, Schedule
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, settings, cookie = runtime.db, runtime.settings.of(AccountsSettings), runtime.cookie
    hasher = PasswordHasher(default_algorithm())
    service = AccountService(
        db=db,
        gate=Gate(runtime.limiter, settings),
        hasher=hasher,
        well_known_passwords=load_well_known_passwords(),
        settings=settings,
    )
    links.provide(Accounts, service)
    links.provide(Authenticator, SessionAuthenticator(service, cookie=cookie))
    handlers = AccountHandlers(service, mailer=runtime.mailer, public_url=runtime.public_url)

    async def stop() -> None:
        hasher.close()

    return Module(
        name="accounts",
        history=history,
        routers=http.routes(service, cookie=cookie),
        handlers={
            MailVerification: handlers.mail_verification,
            MailReset: handlers.mail_reset,
            DropExpired: handlers.drop_expired,
        },
        schedules=[Schedule(job=DropExpired(), every=timedelta(hours=1))],
        stop=stop,
    )
