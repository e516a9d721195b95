from collections.abc import AsyncIterator, Iterator

import pytest

from fairground.platform.cache.redis.level import RedisLevel
from tests.platform.cache.redis.rig import level_at
from tests.support.redis import fresh_namespace
from tools.guardian import Server
from tools.redis import OwnedServer


@pytest.fixture
def namespace() -> str:
    return fresh_namespace()


@pytest.fixture
async def level(redis_server: Server, namespace: str) -> AsyncIterator[RedisLevel]:
    async with level_at(redis_server.url, namespace=namespace) as level:
        yield level


@pytest.fixture
def owned_server() -> Iterator[OwnedServer]:
    """Give a server that the test may kill, freeze and fill."""
    with OwnedServer() as server:
        yield server
