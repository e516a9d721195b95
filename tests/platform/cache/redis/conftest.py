from collections.abc import AsyncIterator, Iterator

import pytest

from fairground.platform.cache.redis import connections
from fairground.platform.cache.redis.level import RedisLevel
from tests.platform.cache.redis.rig import level_at
from tests.support.redis import fresh_namespace
from tools.guardian import Server
from tools.redis import OwnedServer


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for a reply than in production where no outage is tested: the machine runs other tests."""
    if request.path.name not in {"test_outages.py", "test_monitor.py"}:
        monkeypatch.setattr(connections, "ANSWER_SECONDS", 5.0)
        monkeypatch.setattr(connections, "CONNECT_SECONDS", 5.0)


@pytest.fixture
def namespace() -> str:
    return fresh_namespace()


@pytest.fixture
async def level(redis_server: Server, namespace: str) -> AsyncIterator[RedisLevel]:
    async with level_at(redis_server.url, namespace=namespace) as level:
        yield level


@pytest.fixture
def owned_server() -> Iterator[OwnedServer]:
    """Return a server that the test may kill, freeze and fill."""
    with OwnedServer() as server:
        yield server
