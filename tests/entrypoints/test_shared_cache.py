"""Two servers on one database: with a Redis between them they keep answers, and both hear of what either changes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import Providers
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings, SettingsError
from tests.support.lists import lists_have_followed
from tests.support.providers import a_profile
from tests.support.waiting import until
from tools.redis import OwnedServer

LIST: Final = "/api/v1/artists"
# A database that is a file has one server.
on_a_server = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)


@dataclass
class Served:
    program: Program
    client: httpx.AsyncClient

    async def list_artists(self) -> tuple[str, list[str]]:
        """Return how the list came, and who is on it."""
        answer = await self.client.get(LIST)
        return answer.headers["x-cache"], [card["business_name"] for card in answer.json()["data"]]

    async def approve(self, name: str, *, is_cache_away: bool = False) -> None:
        """Bring a provider to the lists, through this server."""
        accounts, catalog = self.program.links.of(Accounts), self.program.links.of(Providers)
        people = [(f"{name}-{role}@example.org", "Kim", role) for role in (Role.PROVIDER, Role.ADMIN)]
        owner, staff = await accounts.create_users_in_bulk(users=people, password="correct horse battery")
        provider = await catalog.create_provider(owner_id=owner.id, profile=a_profile(business_name=name))
        await catalog.submit_provider(owner_id=owner.id, provider_id=provider.id)
        await catalog.approve_provider(staff_id=staff.id, provider_id=provider.id)
        await lists_have_followed(self.program, is_cache_away=is_cache_away)


@asynccontextmanager
async def served(url: str, folder: Path) -> AsyncIterator[Served]:
    program = compose(Settings(database_url=url, data_dir=folder))
    transport = httpx.ASGITransport(program.build_app())
    async with program.running(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        level: Any = program.cache.level
        await until(lambda: level is None or level.state == "on")
        yield Served(program, client)


@pytest.fixture
def redis_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnedServer]:
    with OwnedServer() as server:
        monkeypatch.setenv("FAIRGROUND_REDIS_URL", server.url)
        yield server


@on_a_server
@pytest.mark.usefixtures("redis_of_the_cache")
async def test_server_serves_entries_of_another_until_either_changes_them(migrated_url: str, tmp_path: Path) -> None:
    async with served(migrated_url, tmp_path) as one, served(migrated_url, tmp_path) as two:
        assert (await one.list_artists(), await two.list_artists()) == (("MISS", []), ("HIT", []))
        for number, (writer, reader) in enumerate([(one, two), (two, one)], start=1):
            await writer.approve(f"Trio{number}")
            assert (await writer.list_artists())[0] == "MISS"
            how, names = await reader.list_artists()
            assert (how, len(names)) == ("HIT", number)


@on_a_server
async def test_missed_invalidation_is_repeated_before_redis_is_read_again(
    migrated_url: str, tmp_path: Path, redis_of_the_cache: OwnedServer
) -> None:
    async with served(migrated_url, tmp_path) as one, served(migrated_url, tmp_path) as two:
        await one.list_artists()
        redis_of_the_cache.freeze()
        # The invalidation reaches no other server: its job waits in the database. The worker of either server may have
        # brought the provider to the lists, so this server learns of it when it has noticed the outage.
        await one.approve("Trio", is_cache_away=True)

        async def lists_the_provider() -> bool:
            return (await one.list_artists())[1] == ["Trio"]

        await until(lists_the_provider)
        ready = await one.client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["shared_cache"] in {"off", "settling"}
        redis_of_the_cache.thaw()
        levels: list[Any] = [one.program.cache.level, two.program.cache.level]
        await until(lambda: all(level.state == "on" for level in levels))
        assert (await one.list_artists())[1] == (await two.list_artists())[1] == ["Trio"]


@on_a_server
async def test_servers_without_a_shared_redis_cache_nothing(migrated_url: str, tmp_path: Path) -> None:
    async with served(migrated_url, tmp_path) as one:
        assert [(await one.list_artists())[0] for _ in range(2)] == ["MISS", "MISS"]


def test_unusable_redis_address_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_REDIS_URL", "http://user:secret@localhost")
    with pytest.raises(SettingsError, match="FAIRGROUND_REDIS_URL is not valid") as refused:
        compose(Settings(data_dir=tmp_path))
    assert "secret" not in str(refused.value)
