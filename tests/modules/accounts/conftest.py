from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairground.contracts.accounts import OpenedSession, Role, SessionKind, User
from fairground.modules.accounts.module import build_service
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.emails import AccountEmails
from fairground.modules.accounts.service.passwords import PasswordHasher
from fairground.modules.accounts.service.sessions import Sessions
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.platform.mail.mailer import FolderMailer
from tests.modules.accounts.site import Site
from tests.modules.accounts.stand_ins import PASSWORD, CountingAlgorithm


@pytest.fixture
def algorithm() -> CountingAlgorithm:
    return CountingAlgorithm()


@pytest.fixture
def settings() -> AccountsSettings:
    # Limits that a test reaches soon; each is still far above what the other tests need.
    return AccountsSettings(
        sign_in_tries_per_client=30, registrations_per_client=30, sign_in_tries_per_account_in_all=40
    )


@pytest.fixture
def hasher(algorithm: CountingAlgorithm) -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(algorithm)
    yield hasher
    hasher.close()


@pytest.fixture
def attempts(db: Database, settings: AccountsSettings) -> AttemptLimiter:
    return AttemptLimiter(RateLimiter(db), settings)


@pytest.fixture
def sessions(db: Database, settings: AccountsSettings) -> Sessions:
    return Sessions(db=db, settings=settings)


ServiceOf = Callable[[PasswordHasher], AccountService]


@pytest.fixture
def service_of(db: Database, attempts: AttemptLimiter, sessions: Sessions) -> ServiceOf:
    """Build the service with a given hasher."""
    return lambda hasher: build_service(db=db, attempts=attempts, hasher=hasher, sessions=sessions)


@pytest.fixture
def service(service_of: ServiceOf, hasher: PasswordHasher) -> AccountService:
    return service_of(hasher)


@pytest.fixture
def emails(db: Database, settings: AccountsSettings, tmp_path: Path) -> AccountEmails:
    mailer = FolderMailer(tmp_path / "mail", sender="no-reply@fair.example")
    return AccountEmails(db=db, mailer=mailer, settings=settings, public_url="https://fair.example/")


@pytest.fixture
async def ada(service: AccountService) -> User:
    return await service.create_user(email="ada@example.org", password=PASSWORD, name="Ada", role=Role.CUSTOMER)


SignIn = Callable[..., Any]


@pytest.fixture
def sign_in(service: AccountService) -> SignIn:
    async def sign_in(
        email: str = "ada@example.org", password: str = PASSWORD, *, client: str = "203.0.113.7", **options: Any
    ) -> OpenedSession:
        options = {"kind": SessionKind.BROWSER, "name": "Firefox"} | options
        return await service.sign_in(email=email, password=password, client=client, **options)

    return sign_in


OpenSessions = Callable[..., Awaitable[list[OpenedSession]]]


@pytest.fixture
def open_sessions(db: Database, sessions: Sessions) -> OpenSessions:
    """Open many sessions in one transaction, without the sign-in and the hash of each."""

    async def open_sessions(user: User, *, kind: SessionKind, count: int) -> list[OpenedSession]:
        async with db.write() as tx:
            return [await sessions.open_session(tx, user=user, kind=kind, name="Firefox") for _ in range(count)]

    return open_sessions


SiteAt = Callable[[str], Site]


@pytest.fixture
async def site_at(db: Database, tmp_path: Path) -> AsyncIterator[SiteAt]:
    sites: list[Site] = []

    def make(public_url: str) -> Site:
        sites.append(Site(db, public_url=public_url, folder=tmp_path / "mail"))
        return sites[-1]

    yield make
    for site in sites:
        assert site.module.stop
        await site.module.stop()


@pytest.fixture
def site(site_at: SiteAt) -> Site:
    return site_at("https://fair.example")
