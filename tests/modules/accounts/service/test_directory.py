import pytest

from fairground.contracts.accounts import Role, User, UserNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.accounts.service import AccountService
from tests.modules.accounts.stand_ins import PASSWORD

ROLES = [Role.CUSTOMER, Role.PROVIDER, Role.ADMIN]


@pytest.fixture
async def users(service: AccountService) -> list[User]:
    people = [(f"user{number}@example.org", f"User {number}", ROLES[number % 3]) for number in range(9)]
    return await service.create_users_in_bulk(users=people, password=PASSWORD)


async def test_users_are_listed_newest_first(service: AccountService, users: list[User]) -> None:
    assert await service.list_users(role=None, limit=100) == users[::-1]
    assert await service.list_users(role=None, limit=2) == [users[8], users[7]]
    assert await service.list_users(role=Role.ADMIN, limit=100) == [users[8], users[5], users[2]]
    assert await service.count_users() == 9


async def test_those_that_exist_are_found_by_id(service: AccountService, users: list[User]) -> None:
    found = await service.find_users(user_ids=[users[0].id, users[4].id, uuid7()])

    assert found == {users[0].id: users[0], users[4].id: users[4]}
    assert await service.find_users(user_ids=[]) == {}


async def test_a_user_that_does_not_exist_is_not_found(service: AccountService) -> None:
    with pytest.raises(UserNotFound):
        await service.get_user(user_id=uuid7())
