"""How accounts are put together."""

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
from fairground.platform.db.database import Database
from fairground.platform.http.cookies import SessionCookie
from fairground.platform.http.identity import Authenticator
from fairground.platform.links import Links
from fairground.platform.mail.mailer import Mailer
from fairground.platform.module import Module, Schedule
from fairground.platform.ratelimit import RateLimiter


def build(
    db: Database, links: Links, *, limiter: RateLimiter, mailer: Mailer, cookie: SessionCookie, public_url: str
) -> tuple[Module, Authenticator]:
    settings = AccountsSettings()
    hasher = PasswordHasher(default_algorithm())
    service = AccountService(
        db=db,
        gate=Gate(limiter, settings),
        hasher=hasher,
        well_known_passwords=load_well_known_passwords(),
        settings=settings,
    )
    links.provide(Accounts, service)
    handlers = AccountHandlers(service, mailer=mailer, public_url=public_url)

    async def stop() -> None:
        hasher.close()

    module = Module(
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
    return module, SessionAuthenticator(service, cookie=cookie)
