import asyncio

import pytest

from fairground.contracts.accounts import (
    EmailTaken,
    EmailVerified,
    PasswordUnfit,
    Role,
    RoleNotOffered,
    SessionKind,
    TooManyAttempts,
    User,
    UserNotFound,
    UserRegistered,
)
from fairground.kernel.errors import DomainError
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.emails import MailVerification
from fairground.modules.accounts.settings import AccountsSettings
from tests.modules.accounts.stand_ins import PASSWORD, CountingAlgorithm
from tests.support.outbox import RecordingOutbox

CLIENT = "203.0.113.7"
ROLES = [Role.CUSTOMER, Role.PROVIDER, Role.ADMIN]


async def register(service: AccountService, email: str = "ada@example.org", *, role: Role = Role.CUSTOMER) -> User:
    return await service.register(email=email, password=PASSWORD, name="Ada", role=role, client=CLIENT)


async def test_registration_emits_an_event_and_enqueues_a_mail(
    service: AccountService, outbox: RecordingOutbox
) -> None:
    user = await register(service, role=Role.PROVIDER)

    assert outbox.events == [UserRegistered(user_id=user.id, role=Role.PROVIDER)]
    assert outbox.jobs == [MailVerification(user_id=user.id)]
    assert await service.get_user(user_id=user.id) == user


async def test_registration_as_admin_is_refused_unhashed(service: AccountService, algorithm: CountingAlgorithm) -> None:
    before = algorithm.computations
    with pytest.raises(RoleNotOffered):
        await register(service, role=Role.ADMIN)
    assert algorithm.computations == before


async def test_one_of_many_concurrent_registrations_gets_the_address(service: AccountService) -> None:
    spellings = ["ada@example.org", "Ada@example.org", " ADA@EXAMPLE.ORG "] * 5
    outcomes = await asyncio.gather(*(register(service, email) for email in spellings), return_exceptions=True)

    refusals = [outcome for outcome in outcomes if isinstance(outcome, EmailTaken)]
    assert len(refusals) == len(spellings) - 1
    assert await service.count_users() == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("max@müller.de", "max@xn--mller-kva.de"),
        ("max@xn--mller-kva.de", "Max@MÜLLER.de"),
        ("josé@a.no", "JOSE\u0301@a.no"),
    ],
)
async def test_two_spellings_of_an_internationalised_address_are_one_account(
    service: AccountService, first: str, other: str
) -> None:
    user = await register(service, first)

    with pytest.raises(EmailTaken):
        await register(service, other)
    opened = await service.sign_in(email=other, password=PASSWORD, kind=SessionKind.BROWSER, name="", client=CLIENT)
    assert opened.user == user


async def test_registration_with_a_taken_address_is_refused_unhashed(
    service: AccountService, algorithm: CountingAlgorithm, ada: User
) -> None:
    before = algorithm.computations
    with pytest.raises(EmailTaken):
        await register(service, ada.email)
    assert algorithm.computations == before


async def test_registrations_beyond_the_limit_are_refused_unhashed(
    service: AccountService, algorithm: CountingAlgorithm, settings: AccountsSettings
) -> None:
    outcomes: list[object] = []
    for _ in range(settings.registrations_per_client + 5):
        try:
            outcomes.append(await register(service))
        except DomainError as error:
            outcomes.append(type(error))

    assert outcomes[-1] is TooManyAttempts
    assert outcomes.count(EmailTaken) == settings.registrations_per_client - 1
    assert algorithm.computations == 1


async def test_operator_creates_users_of_any_role_without_mail(
    service: AccountService, outbox: RecordingOutbox
) -> None:
    user = await service.create_user(email="Boss@example.org", password=PASSWORD, name="Boss", role=Role.ADMIN)

    assert (user.email, user.role, user.email_verified) == ("boss@example.org", Role.ADMIN, True)
    assert outbox.events == [UserRegistered(user_id=user.id, role=Role.ADMIN), EmailVerified(user_id=user.id)]
    assert outbox.jobs == []


async def test_well_known_password_of_an_operator_is_refused(service: AccountService) -> None:
    with pytest.raises(PasswordUnfit):
        await service.create_user(email="boss@example.org", password="password1", name="Boss", role=Role.ADMIN)


async def test_users_created_in_bulk_share_one_hash(service: AccountService, algorithm: CountingAlgorithm) -> None:
    before = algorithm.computations
    users = [(f"user{number}@example.org", f"User {number}", Role.CUSTOMER) for number in range(1_200)]
    opened = await service.create_users_in_bulk(users=users, password=PASSWORD)

    assert algorithm.computations == before + 1
    assert [user.email for user in opened] == [email for email, _, _ in users]
    assert await service.count_users() == 1_200


async def test_taken_address_among_many_creates_no_user(service: AccountService, ada: User) -> None:
    users = [("new@example.org", "New", Role.CUSTOMER), (ada.email, "Ada", Role.CUSTOMER)]
    with pytest.raises(EmailTaken):
        await service.create_users_in_bulk(users=users, password=PASSWORD)

    assert await service.count_users() == 1


@pytest.fixture
async def users(service: AccountService) -> list[User]:
    people = [(f"user{number}@example.org", f"User {number}", ROLES[number % 3]) for number in range(9)]
    return await service.create_users_in_bulk(users=people, password=PASSWORD)


async def test_users_are_listed_newest_first(service: AccountService, users: list[User]) -> None:
    assert await service.list_users(role=None, limit=100) == users[::-1]
    assert await service.list_users(role=None, limit=2) == [users[8], users[7]]
    assert await service.list_users(role=Role.ADMIN, limit=100) == [users[8], users[5], users[2]]
    assert await service.count_users() == 9


async def test_users_that_exist_are_found_by_id(service: AccountService, users: list[User]) -> None:
    found = await service.find_users(user_ids=[users[0].id, users[4].id, uuid7()])

    assert found == {users[0].id: users[0], users[4].id: users[4]}
    assert await service.find_users(user_ids=[]) == {}


async def test_unknown_user_is_not_found(service: AccountService) -> None:
    with pytest.raises(UserNotFound):
        await service.get_user(user_id=uuid7())
