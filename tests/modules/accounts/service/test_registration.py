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
    UserRegistered,
)
from fairground.kernel.errors import DomainError
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.jobs import MailVerification
from fairground.modules.accounts.settings import AccountsSettings
from tests.modules.accounts.stand_ins import PASSWORD, CountingAlgorithm
from tests.support.outbox import RecordingOutbox

CLIENT = "203.0.113.7"


async def register(service: AccountService, email: str = "ada@example.org", *, role: Role = Role.CUSTOMER) -> User:
    return await service.register(email=email, password=PASSWORD, name="Ada", role=role, client=CLIENT)


async def test_a_registration_is_told_and_asks_for_the_mail(service: AccountService, outbox: RecordingOutbox) -> None:
    user = await register(service, role=Role.PROVIDER)

    assert outbox.events == [UserRegistered(user_id=user.id, role=Role.PROVIDER)]
    assert outbox.jobs == [MailVerification(user_id=user.id)]
    assert await service.get_user(user_id=user.id) == user


async def test_nobody_registers_as_admin(service: AccountService, algorithm: CountingAlgorithm) -> None:
    before = algorithm.computations
    with pytest.raises(RoleNotOffered):
        await register(service, role=Role.ADMIN)
    assert algorithm.computations == before


async def test_of_many_registrations_at_once_one_gets_the_address(service: AccountService) -> None:
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


async def test_a_refused_address_costs_no_hash(
    service: AccountService, algorithm: CountingAlgorithm, ada: User
) -> None:
    before = algorithm.computations
    with pytest.raises(EmailTaken):
        await register(service, ada.email)
    assert algorithm.computations == before


async def test_beyond_the_limit_nothing_is_hashed(
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


async def test_an_operator_opens_an_account_of_any_role_without_mail(
    service: AccountService, outbox: RecordingOutbox
) -> None:
    user = await service.create_user(email="Boss@example.org", password=PASSWORD, name="Boss", role=Role.ADMIN)

    assert (user.email, user.role, user.email_verified) == ("boss@example.org", Role.ADMIN, True)
    assert outbox.events == [UserRegistered(user_id=user.id, role=Role.ADMIN), EmailVerified(user_id=user.id)]
    assert outbox.jobs == []


async def test_an_operator_may_not_choose_a_well_known_password_either(service: AccountService) -> None:
    with pytest.raises(PasswordUnfit):
        await service.create_user(email="boss@example.org", password="password1", name="Boss", role=Role.ADMIN)


async def test_many_accounts_share_one_hash(service: AccountService, algorithm: CountingAlgorithm) -> None:
    before = algorithm.computations
    users = [(f"user{number}@example.org", f"User {number}", Role.CUSTOMER) for number in range(1_200)]
    opened = await service.create_users_in_bulk(users=users, password=PASSWORD)

    assert algorithm.computations == before + 1
    assert [user.email for user in opened] == [email for email, _, _ in users]
    assert await service.count_users() == 1_200


async def test_one_taken_address_among_many_opens_none(service: AccountService, ada: User) -> None:
    users = [("new@example.org", "New", Role.CUSTOMER), (ada.email, "Ada", Role.CUSTOMER)]
    with pytest.raises(EmailTaken):
        await service.create_users_in_bulk(users=users, password=PASSWORD)

    assert await service.count_users() == 1
