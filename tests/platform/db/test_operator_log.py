"""A record in the operator log commits with its action, and the newest one is listed first."""

import pytest

from fairground.platform.db.common.operator_log import list_operator_actions, record_operator_action
from fairground.platform.db.database import Database

pytestmark = pytest.mark.anyio


async def test_latest_actions_are_listed_newest_first(db: Database) -> None:
    async with db.write() as tx:
        for number in range(5):
            await record_operator_action(
                tx, action="cache.flush", actor=f"user {number}", details={"tags": [f"ø {number}"]}
            )
        await record_operator_action(tx, action="other", actor="user 1", details={})
    async with db.read() as tx:
        latest = await list_operator_actions(tx, action="cache.flush", limit=3)
    assert [(done.actor, done.details["tags"]) for done in latest] == [(f"user {n}", [f"ø {n}"]) for n in (4, 3, 2)]


async def test_action_of_a_rolled_back_transaction_is_not_listed(db: Database) -> None:
    async def fail() -> None:
        async with db.write() as tx:
            await record_operator_action(tx, action="cache.flush", actor="user 1", details={})
            raise ValueError("It went wrong.")

    with pytest.raises(ValueError, match="went wrong"):
        await fail()
    async with db.read() as tx:
        assert await list_operator_actions(tx, action="cache.flush", limit=3) == []
