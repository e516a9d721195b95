"""Builds accounts."""

from collections.abc import Callable
from datetime import timedelta

from fairground.contracts.accounts import AccountObligations, Accounts, OwnAccounts, StaffAccounts
from fairground.contracts.audit import AuditTrail
from fairground.modules.accounts import http
from fairground.modules.accounts.http.staff import staff_routes
from fairground.modules.accounts.service import AccountService, OwnAccountService
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.audit import AuditTrailService
from fairground.modules.accounts.service.emails import (
    AccountEmails,
    EmailVerification,
    MailEmailNotice,
    MailNewEmail,
    MailReset,
    MailVerification,
)
from fairground.modules.accounts.service.own_accounts import AccountClosing, AccountDetails, EmailChanges, NoObligations
from fairground.modules.accounts.service.passwords import (
    PasswordCheck,
    PasswordHasher,
    Passwords,
    default_algorithm,
    load_well_known_passwords,
)
from fairground.modules.accounts.service.sessions import DropExpired, Sessions
from fairground.modules.accounts.service.sign_in import SignIn
from fairground.modules.accounts.service.staff_accounts import StaffAccountService
from fairground.modules.accounts.service.users import Users
from fairground.modules.accounts.settings import AccountsSettings
from fairground.modules.accounts.tables import history
from fairground.platform.db.database import Database
from fairground.platform.http.identity import Authenticator
from fairground.platform.module import Links, Module, Schedule
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, settings, cookie = runtime.db, runtime.settings.of(AccountsSettings), runtime.cookie
    hasher = PasswordHasher(default_algorithm())
    sessions = Sessions(db=db, settings=settings)
    emails = AccountEmails(db=db, mailer=runtime.mailer, settings=settings, public_url=runtime.public_url)
    attempts = AttemptLimiter(runtime.limiter, settings)
    service = build_service(db=db, attempts=attempts, hasher=hasher, sessions=sessions)
    own = build_own_service(
        db=db,
        attempts=attempts,
        hasher=hasher,
        settings=settings,
        # Booking is built after accounts, so its bookings are looked up at each call.
        obligations=lambda: links.of(AccountObligations),
    )
    links.provide(Accounts, service)
    links.provide(OwnAccounts, own)
    staff = StaffAccountService(db=db)
    links.provide(StaffAccounts, staff)
    trail = AuditTrailService(db=db)
    links.provide(AuditTrail, trail)
    links.provide(Authenticator, http.SessionAuthenticator(service, cookie=cookie))

    async def stop() -> None:
        hasher.close()

    return Module(
        name="accounts",
        history=history,
        routers=[*http.routes(service, own, cookie=cookie), staff_routes(staff), http.audit_routes(trail)],
        handlers={
            MailVerification: emails.send_verification,
            MailReset: emails.send_reset,
            MailNewEmail: emails.send_new_email,
            MailEmailNotice: emails.send_email_notice,
            DropExpired: sessions.drop_expired,
        },
        schedules=[Schedule(job=DropExpired(), every=timedelta(hours=1))],
        stop=stop,
    )


def build_service(
    *, db: Database, attempts: AttemptLimiter, hasher: PasswordHasher, sessions: Sessions
) -> AccountService:
    well_known_passwords = load_well_known_passwords()
    return AccountService(
        users=Users(db=db, attempts=attempts, hasher=hasher, well_known_passwords=well_known_passwords),
        sign_in=SignIn(db=db, attempts=attempts, hasher=hasher, sessions=sessions),
        sessions=sessions,
        passwords=Passwords(
            db=db, attempts=attempts, hasher=hasher, sessions=sessions, well_known_passwords=well_known_passwords
        ),
        email_verification=EmailVerification(db=db, attempts=attempts),
    )


def build_own_service(
    *,
    db: Database,
    attempts: AttemptLimiter,
    hasher: PasswordHasher,
    settings: AccountsSettings,
    obligations: Callable[[], AccountObligations] = NoObligations,
) -> OwnAccountService:
    check = PasswordCheck(db=db, attempts=attempts, hasher=hasher)
    return OwnAccountService(
        details=AccountDetails(db=db),
        email_changes=EmailChanges(db=db, attempts=attempts, check=check, settings=settings),
        closing=AccountClosing(db=db, check=check, obligations=obligations),
    )
