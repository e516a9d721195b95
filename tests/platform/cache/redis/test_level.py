"""The level on a healthy server, with the levels of two processes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from fairground.platform.cache.redis.connections import PIPELINE_COUNT
from fairground.platform.cache.redis.level import ENTRY_MAX_BYTES, AdmissionFilter, RedisLevel
from fairground.platform.cache.shared_level import LevelUnavailable, LookupReply
from tests.platform.cache.redis.rig import Clock, Ledger, Listener, level_at, take, tokens_of, until_on
from tests.support.redis import fresh_namespace
from tests.support.waiting import until
from tools.guardian import Server
from tools.redis import OwnedServer


@pytest.fixture
async def other(redis_server: Server, namespace: str) -> AsyncIterator[RedisLevel]:
    async with level_at(redis_server.url, namespace=namespace) as level:
        yield level


async def test_entry_is_found_by_every_process_with_the_tokens_of_its_tags(
    level: RedisLevel, other: RedisLevel
) -> None:
    tokens = await tokens_of(level, "lists", "provider:7")
    await level.store("list", owner="any", fields={"meta": b"\x00\xff", "br": b""}, ttl_seconds=60)
    found = await other.look_up("list", fields=["meta", "br", "zstd"], tags=["lists", "provider:7", "unheard"])
    assert found == LookupReply(fields=(b"\x00\xff", b"", None), tokens=(*tokens, None))


async def test_token_is_unchanged_until_its_tag_is_invalidated_and_never_repeats(
    level: RedisLevel, other: RedisLevel
) -> None:
    seen = set()
    for _ in range(5):
        (token,) = await tokens_of(level, "lists")
        assert (token,) == await tokens_of(other, "lists")
        assert token not in seen
        seen.add(token)
        await other.invalidate_tags(["lists"])
        assert (await level.look_up("list", fields=["meta"], tags=["lists"])).tokens != (token,)


async def test_new_entry_has_no_field_of_the_old_one(level: RedisLevel) -> None:
    await level.store("list", owner="any", fields={"meta": b"1", "br": b"old"}, ttl_seconds=60)
    await level.store("list", owner="any", fields={"meta": b"2"}, ttl_seconds=60)
    assert (await level.look_up("list", fields=["meta", "br"], tags=[])).fields == (b"2", None)


async def test_entry_expires_after_its_time_to_live(level: RedisLevel) -> None:
    await level.store("list", owner="any", fields={"meta": b"1"}, ttl_seconds=0.05)

    async def is_gone() -> bool:
        return (await level.look_up("list", fields=["meta"], tags=[])).fields == (None,)

    await until(is_gone)


async def test_entry_above_one_mebibyte_is_not_stored(level: RedisLevel) -> None:
    await level.store("list", owner="any", fields={"meta": b"m", "body": b"x" * (ENTRY_MAX_BYTES - 1)}, ttl_seconds=60)
    assert (await level.look_up("list", fields=["meta"], tags=[])).fields == (b"m",)
    await level.store("huge", owner="any", fields={"meta": b"m", "body": b"x" * ENTRY_MAX_BYTES}, ttl_seconds=60)
    assert (await level.look_up("huge", fields=["meta"], tags=[])).fields == (None,)


async def test_lookup_is_one_round_trip(namespace: str) -> None:
    with OwnedServer() as server:
        async with level_at(server.url, namespace=namespace) as level:
            for _ in range(PIPELINE_COUNT):
                await tokens_of(level, "lists")  # each pipeline connects at its first use
            with redis.Redis.from_url(server.url) as client, client.monitor() as monitor:
                sent = asyncio.to_thread(lambda: [monitor.next_command()["command"] for _ in range(2)])
                await level.look_up("list", fields=["meta", "br"], tags=["lists", "crafts"])
                commands = [command.split()[0] for command in await sent]
    assert commands == ["HMGET", "MGET"]


async def test_claim_returns_the_lease_the_stored_entry_and_a_token_for_every_tag(
    level: RedisLevel, other: RedisLevel
) -> None:
    await level.store("list", owner="any", fields={"meta": b"old"}, ttl_seconds=60)
    arguments: dict[str, Any] = {"seconds": 30, "force": True}
    first = await level.claim("list", owner="first", fields=["meta", "br"], tags=["lists", "crafts"], **arguments)
    assert (first.is_ours, first.others_seconds, first.found.fields) == (True, None, (b"old", None))
    second = await other.claim("list", owner="second", fields=["meta"], tags=["crafts", "lists"], **arguments)
    assert not second.is_ours
    assert second.others_seconds is not None
    assert 0 < second.others_seconds <= 30
    assert None not in first.found.tokens
    assert second.found.tokens == tuple(reversed(first.found.tokens))


async def test_claim_without_force_only_looks_up_a_stored_entry(level: RedisLevel, other: RedisLevel) -> None:
    arguments: dict[str, Any] = {"seconds": 30, "fields": ["meta"], "tags": ["lists"], "force": False}
    first = await level.claim("list", owner="first", **arguments)
    assert (first.is_ours, first.found.fields, None in first.found.tokens) == (True, (None,), False)
    await level.store("list", owner="first", fields={"meta": b"made"}, ttl_seconds=60)
    lookup = await other.claim("list", owner="second", **arguments)
    assert (lookup.is_ours, lookup.others_seconds, lookup.found.fields) == (False, None, (b"made",))
    assert lookup.found.tokens == first.found.tokens
    await level.invalidate_tags(["lists"])
    assert (await other.claim("list", owner="second", **arguments)).found.tokens == (None,)
    assert await take(level, "list", owner="third")


async def test_thousand_concurrent_callers_share_the_pipelines(redis_server: Server, namespace: str) -> None:
    async with level_at(redis_server.url, namespace=namespace) as level:
        with redis.Redis.from_url(redis_server.url) as client:
            before = client.info("clients")["connected_clients"]
            await asyncio.gather(*(tokens_of(level, f"tag:{number}") for number in range(1000)))
            after = client.info("clients")["connected_clients"]
    assert after - before <= PIPELINE_COUNT


async def test_invalidation_reaches_every_process_and_our_own_before_it_returns(
    redis_server: Server, namespace: str
) -> None:
    ours, theirs = Listener(), Listener()
    async with (
        level_at(redis_server.url, namespace=namespace, listener=ours) as level,
        level_at(redis_server.url, namespace=namespace, listener=theirs),
    ):
        assert theirs.events == ["connected"]
        await level.invalidate_tags(["lists", "provider:7"])
        assert {*ours.heard} == {"lists", "provider:7"}
        await until(lambda: theirs.heard == ["lists", "provider:7"])
    assert theirs.events == ["connected", "disconnected"]


async def test_namespaces_share_nothing(redis_server: Server, level: RedisLevel) -> None:
    theirs = Listener()
    async with level_at(redis_server.url, namespace=fresh_namespace(), listener=theirs) as stranger:
        await level.store("list", owner="any", fields={"meta": b"1"}, ttl_seconds=60)
        tokens = await tokens_of(level, "lists")
        assert await tokens_of(stranger, "lists") != tokens
        assert (await stranger.look_up("list", fields=["meta"], tags=[])).fields == (None,)
        await level.invalidate_tags(["lists"])
        await stranger.invalidate_tags(["own"])
        await until(lambda: "own" in theirs.heard)
    assert "lists" not in theirs.heard


async def test_settling_level_is_written_but_not_read(redis_server: Server, namespace: str) -> None:
    ledger = Ledger()
    ledger.pending, ledger.is_reachable = 1, False
    level = RedisLevel(redis_server.url, namespace=namespace, backlog=ledger)
    async with level.running():
        await until(lambda: level.state == "settling")
        with pytest.raises(LevelUnavailable, match="settling"):
            await level.look_up("list", fields=["meta"], tags=[])
        await level.invalidate_tags(["lists"])
        ledger.is_reachable = True
        await asyncio.sleep(0.5)
        assert level.state == "settling"
        ledger.pending = 0
        await until(lambda: level.state == "on")


@pytest.mark.parametrize("junk", [b"", b"tags", b"released", b"released\n", b"\xff\xfe\n\n", b"tags\n\xff"])
async def test_invalid_message_on_the_channel_is_ignored(
    redis_server: Server, level: RedisLevel, namespace: str, junk: bytes
) -> None:
    with redis.Redis.from_url(redis_server.url) as stranger:
        assert stranger.publish(f"{namespace}:messages", junk) == 1
    async with level.lease_waiter("list") as waiter:
        await take(level, "list", owner="first")
        await take(level, "list", owner="second")
        await level.release_lease("list", owner="first")
        await waiter.wait(timeout_seconds=30)  # published after the junk
    assert level.state == "on"


async def test_error_of_ours_ends_the_connection_and_not_the_program(redis_server: Server, namespace: str) -> None:
    class Broken(Listener, Ledger):
        mistakes = 2

        def connected(self) -> None:
            self.err()

        async def is_applied(self) -> bool:
            self.err()
            return True

        def err(self) -> None:
            if self.mistakes:
                self.mistakes -= 1
                raise RuntimeError("a mistake")

    broken = Broken()
    level = RedisLevel(redis_server.url, namespace=namespace, backlog=broken)
    level.listen(broken)
    async with level.running():
        await until_on(level)
        assert broken.mistakes == 0
        with pytest.raises(LevelUnavailable, match="Invalid input"):
            await level.look_up("list", fields=[object()], tags=[])  # type: ignore[list-item]
        assert (await level.look_up("list", fields=["meta"], tags=[])).fields == (None,)


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost?no_such_option=1"])
def test_unusable_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"schemes|no_such_option"):
        RedisLevel(url, namespace="any", backlog=Ledger())


async def test_password_authenticates_and_is_in_no_reason(owned_server: OwnedServer, namespace: str) -> None:
    with redis.Redis.from_url(owned_server.url) as admin:
        admin.config_set("requirepass", "seven lanterns")
    async with level_at(owned_server.url.replace("//", "//:seven%20lanterns@"), namespace=namespace) as level:
        assert await tokens_of(level, "lists")
    refused = RedisLevel(owned_server.url.replace("//", "//:eight%20lanterns@"), namespace=namespace, backlog=Ledger())
    async with refused.running():
        await until(lambda: "password" in refused.reason)
        assert "lanterns" not in refused.reason


def test_key_requested_once_is_stored_a_minute_and_twice_its_whole_time() -> None:
    clock = Clock()
    admission = AdmissionFilter(clock=clock)
    admission.record_lookup("list")
    clock.now += 1
    admission.record_lookup("list")  # the same request, which looks again before it computes
    assert admission.limit_ttl("list", ttl_seconds=3600) == 60
    assert admission.limit_ttl("list", ttl_seconds=10) == 10
    clock.now += 30
    admission.record_lookup("list")
    assert admission.limit_ttl("list", ttl_seconds=3600) == 3600
    clock.now += 61
    admission.record_lookup("list")
    assert admission.limit_ttl("list", ttl_seconds=3600) == 60
    assert admission.limit_ttl("never seen", ttl_seconds=3600) == 60


def test_constantly_requested_key_is_known() -> None:
    clock = Clock()
    admission = AdmissionFilter(clock=clock)
    for _ in range(100):
        admission.record_lookup("list")
        clock.now += 2
    assert admission.limit_ttl("list", ttl_seconds=3600) == 3600


def test_flood_of_keys_is_dropped_oldest_first() -> None:
    admission = AdmissionFilter()
    for number in range(30_000):
        admission.record_lookup(str(number))
    assert len(admission._seen) == 20_000
    assert "29999" in admission._seen
