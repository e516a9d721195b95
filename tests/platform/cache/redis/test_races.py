"""No order of reading, computing, storing and changing serves a value that was changed before the request."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest

from fairground.platform.cache.redis.level import RedisLevel
from tests.platform.cache.redis.rig import level_at
from tools.guardian import Server

TAG: Final = "lists"


class Filler:
    """Fills the entry step by step, like a process after a miss; `row` represents the database."""

    def __init__(self, level: RedisLevel, row: dict[str, bytes], *, owner: str) -> None:
        self._level, self._row, self._owner = level, row, owner
        self._token = self._value = b""

    async def read_token(self) -> None:
        # Whether or not the other one has the lease: leases end, and correctness must not depend on them.
        claim = await self._level.claim("list", owner=self._owner, seconds=30, fields=["body"], tags=[TAG], force=True)
        (token,) = claim.found.tokens
        assert token is not None
        self._token = token

    async def compute(self) -> None:
        self._value = self._row["value"]

    async def store(self) -> None:
        await self._level.store(
            "list", owner=self._owner, fields={"token": self._token, "body": self._value}, ttl_seconds=60
        )

    @property
    def steps(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.read_token, self.compute, self.store]


async def serve(level: RedisLevel, *, compares_tokens: bool = True) -> bytes | None:
    found = await level.look_up("list", fields=["token", "body"], tags=[TAG])
    token, body = found.fields
    return body if not compares_tokens or (token is not None and token == found.tokens[0]) else None


@pytest.fixture
async def levels(redis_server: Server, namespace: str) -> AsyncIterator[list[RedisLevel]]:
    async with (
        level_at(redis_server.url, namespace=namespace) as one,
        level_at(redis_server.url, namespace=namespace) as two,
        level_at(redis_server.url, namespace=namespace) as three,
    ):
        yield [one, two, three]


async def run(levels: list[RedisLevel], order: tuple[str, ...]) -> None:
    """Run two fillers and a change, each in its own process, in the order of the letters f, g and m."""
    row = {"value": b"old"}

    async def change() -> None:
        row["value"] = b"new"

    async def invalidate() -> None:
        await levels[2].invalidate_tags([TAG])

    parts = {
        "f": iter(Filler(levels[0], row, owner="f").steps),
        "g": iter(Filler(levels[1], row, owner="g").steps),
        "m": iter([change, invalidate]),
    }
    for part in order:
        await next(parts[part])()


def orders() -> list[tuple[str, ...]]:
    """Return every order of two fills of three steps and a change of two steps."""
    return sorted(set(itertools.permutations("fffgggmm")))


async def test_no_order_serves_an_old_value_after_the_change(levels: list[RedisLevel]) -> None:
    assert len(orders()) == 560
    old_without_the_guard = 0
    for order in orders():
        await run(levels, order)
        served = {await serve(level) for level in levels}
        assert served <= {None, b"new"}, order
        old_without_the_guard += await serve(levels[0], compares_tokens=False) == b"old"
        await levels[0].invalidate_tags([TAG])
    # The control: the same orders, without the comparison of tokens.
    assert old_without_the_guard > 100


async def test_fill_after_the_change_is_served(levels: list[RedisLevel]) -> None:
    await run(levels, ("m", "m", "f", "f", "f"))
    assert [await serve(level) for level in levels] == [b"new"] * 3
