from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import argon2
import pytest

from fairground.contracts.accounts import OpenedSession, Role, SessionKind, User
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.gate import Gate
from fairground.modules.accounts.service.hashing import PasswordHasher, load_well_known_passwords
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.database import Database
from fairground.platform.ratelimit import RateLimiter
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


ServiceOf = Callable[[argon2.PasswordHasher], AccountService]


@pytest.fixture
async def service_of(db: Database, settings: AccountsSettings) -> AsyncIterator[ServiceOf]:
    """Put a service together that hashes with the given algorithm."""
    hashers = []

    def make(algorithm: argon2.PasswordHasher) -> AccountService:
        hashers.append(PasswordHasher(algorithm))
        return AccountService(
            db=db,
            gate=Gate(RateLimiter(db), settings),
            hasher=hashers[-1],
            well_known_passwords=load_well_known_passwords(),
            settings=settings,
        )

    yield make
    for hasher in hashers:
        hasher.close()


@pytest.fixture
def service(service_of: ServiceOf, algorithm: CountingAlgorithm) -> AccountService:
    return service_of(algorithm)


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
