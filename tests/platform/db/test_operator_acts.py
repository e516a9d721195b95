"""The record of an operation by hand commits with the operation, and the newest record is listed first."""

import pytest

from fairground.platform.db.common.operator_acts import list_latest_acts, write_down_act
from fairground.platform.db.database import Database

pytestmark = pytest.mark.anyio


async def test_latest_acts_are_listed_newest_first(db: Database) -> None:
    async with db.write() as tx:
        for number in range(5):
            await write_down_act(tx, act="cache.flush", actor=f"user {number}", details={"tags": [f"ø {number}"]})
        await write_down_act(tx, act="other", actor="user 1", details={})
    async with db.read() as tx:
        latest = await list_latest_acts(tx, act="cache.flush", limit=3)
    assert [(done.actor, done.details["tags"]) for done in latest] == [(f"user {n}", [f"ø {n}"]) for n in (4, 3, 2)]


async def test_act_of_a_rolled_back_transaction_is_not_listed(db: Database) -> None:
    async def fail() -> None:
        async with db.write() as tx:
            await write_down_act(tx, act="cache.flush", actor="user 1", details={})
            raise ValueError("It went wrong.")

    with pytest.raises(ValueError, match="went wrong"):
        await fail()
    async with db.read() as tx:
        assert await list_latest_acts(tx, act="cache.flush", limit=3) == []
