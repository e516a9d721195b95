"""Requests and entries when the server dies, hangs, refuses or comes back as another."""

import os
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
import redis

from fairground.platform.cache.redis.level import RedisLevel
from fairground.platform.cache.shared_level import LevelState, LevelUnavailable
from tests.platform.cache.redis.rig import Ledger, Listener, is_refused, level_at, take, tokens_of, until_off, until_on
from tests.support.waiting import until
from tools.redis import OwnedServer


def admin(server: OwnedServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=10)


def is_refused_without_waiting(level: RedisLevel) -> bool:
    """Call the level without a turn of the event loop."""
    lookup = level.look_up("list", fields=["meta"], tags=["lists"])
    try:
        lookup.send(None)
    except LevelUnavailable:
        return True
    finally:
        lookup.close()
    return False


async def fill(level: RedisLevel) -> bytes:
    (token,) = await tokens_of(level, "lists")
    await level.store("list", owner="any", fields={"meta": b"old"}, ttl_seconds=60)
    return token


async def test_killed_server_is_off_until_it_starts_again_empty(owned_server: OwnedServer, namespace: str) -> None:
    listener = Listener()
    async with level_at(owned_server.url, namespace=namespace, listener=listener) as level:
        token = await fill(level)
        owned_server.kill()
        await until(lambda: level.state is LevelState.OFF)
        assert listener.events == ["connected", "disconnected"]
        assert is_refused_without_waiting(level)
        owned_server.start()
        await until_on(level)
        assert listener.events == ["connected", "disconnected", "connected"]
        assert (await level.look_up("list", fields=["meta"], tags=["lists"])).fields == (None,)
        assert await tokens_of(level, "lists") != (token,)


async def test_frozen_server_refuses_without_waiting(owned_server: OwnedServer, namespace: str) -> None:
    async with level_at(owned_server.url, namespace=namespace) as level:
        token = await fill(level)
        owned_server.freeze()
        began_at = time.monotonic()
        await until_off(level)
        assert time.monotonic() - began_at < 10
        assert is_refused_without_waiting(level)
        owned_server.thaw()
        await until_on(level)
        # It is the same server, and nothing was invalidated: all entries are valid.
        assert await level.look_up("list", fields=["meta"], tags=["lists"]) is not None
        assert await tokens_of(level, "lists") == (token,)


async def test_freeze_is_noticed_without_requests(owned_server: OwnedServer, namespace: str) -> None:
    listener = Listener()
    async with level_at(owned_server.url, namespace=namespace, listener=listener) as level:
        owned_server.freeze()
        await until(lambda: listener.events[-1] == "disconnected")
        assert level.state is LevelState.OFF
        owned_server.thaw()
        await until_on(level)


@pytest.mark.parametrize("mode", ["ALL", "WRITE"])
async def test_paused_server_is_off(owned_server: OwnedServer, namespace: str, mode: str) -> None:
    async with level_at(owned_server.url, namespace=namespace) as level:
        with admin(owned_server) as client:
            client.execute_command("CLIENT", "PAUSE", "1500", mode)

        async def is_off() -> bool:
            try:
                await level.invalidate_tags(["lists"])
            except LevelUnavailable:
                return level.state is LevelState.OFF
            return False

        await until(is_off)
        await until_on(level)


async def test_server_that_never_answers_delays_no_request(namespace: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        level = RedisLevel(f"redis://127.0.0.1:{hole.getsockname()[1]}", namespace=namespace, backlog=Ledger())
        async with level.running():
            assert is_refused_without_waiting(level)
            await until(lambda: "in time" in level.reason)
            assert is_refused_without_waiting(level)


async def _expect_full(call: Callable[[], Awaitable[object]]) -> None:
    """Call until the server refuses for want of memory: on a loaded machine an answer may come too late."""
    reasons: list[str] = []
    while not reasons or ("in time" in reasons[-1] and len(reasons) < 3):
        with pytest.raises(LevelUnavailable) as refusal:
            await call()
        reasons.append(str(refusal.value))
    assert "maxmemory" in reasons[-1]


async def test_full_server_is_read_and_invalidates(namespace: str) -> None:
    with OwnedServer("--maxmemory", "8mb", "--maxmemory-policy", "noeviction") as server:
        async with level_at(server.url, namespace=namespace) as level:
            token = await fill(level)
            with admin(server) as client:
                assert await take(level, "other", owner="any")
                client.config_set("maxmemory", 1)
            for _ in range(20):
                await _expect_full(lambda: level.store("other", owner="any", fields={"meta": b"new"}, ttl_seconds=60))
            await _expect_full(
                lambda: level.claim("other", owner="next", seconds=30, fields=["meta"], tags=["lists"], force=True)
            )
            found = await level.look_up("list", fields=["meta"], tags=["lists"])
            assert (found.fields, found.tokens) == ((b"old",), (token,))
            await level.invalidate_tags(["lists"])
            assert (await level.look_up("list", fields=["meta"], tags=["lists"])).tokens == (None,)
            with admin(server) as client:
                client.config_set("maxmemory", 0)
            assert await take(level, "other", owner="next")  # released by the first store, though it stored nothing


@pytest.mark.parametrize(
    "change", [lambda level: level.invalidate_tags(["lists"]), lambda level: take(level, "l", owner="o")]
)
async def test_replica_is_off_until_it_is_a_primary(
    owned_server: OwnedServer, namespace: str, change: Callable[[RedisLevel], Awaitable[object]]
) -> None:
    async with level_at(owned_server.url, namespace=namespace) as level:
        with admin(owned_server) as client:
            client.replicaof("127.0.0.1", 1)
            with pytest.raises(LevelUnavailable):
                await change(level)
            assert is_refused_without_waiting(level)
            await until(lambda: "read only" in level.reason)
            client.replicaof("NO", "ONE")
            await until_on(level)
            await level.invalidate_tags(["lists"])


async def test_tokens_of_a_restored_older_copy_do_not_match(namespace: str) -> None:
    with OwnedServer("--save", "3600 1") as server:
        async with level_at(server.url, namespace=namespace) as level:
            token = await fill(level)
            with admin(server) as client:
                client.save()
                stored = client.get(f"{namespace}:tag:lists")
                await level.invalidate_tags(["lists"])
                server.kill()
                await until(lambda: level.state is LevelState.OFF)
                server.start()
                # The control: without its run, the old token is back, and the entry under it would be served.
                assert client.get(f"{namespace}:tag:lists") == stored
            await until_on(level)
            found = await level.look_up("list", fields=["meta"], tags=["lists"])
            assert found.fields == (b"old",)
            assert found.tokens != (token,)
            assert stored is not None
            assert found.tokens[0] is not None
            assert token.endswith(stored)
            assert found.tokens[0].endswith(stored)


async def test_loading_server_is_off_until_it_has_loaded(namespace: str) -> None:
    slowly = ("--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024")
    with OwnedServer("--save", "3600 1", *slowly) as server:
        async with level_at(server.url, namespace=namespace) as level:
            with admin(server) as client:
                client.mset({f"key:{number}": os.urandom(500) for number in range(1000)})
                client.save()
            server.kill()
            await until(lambda: level.state is LevelState.OFF)
            server.start(awaits_answer=False)
            await until(lambda: "loading" in level.reason.lower())
            await until_on(level)


async def test_killed_subscription_is_opened_again(owned_server: OwnedServer, namespace: str) -> None:
    ours, theirs = Listener(), Listener()
    async with (
        level_at(owned_server.url, namespace=namespace, listener=ours) as level,
        level_at(owned_server.url, namespace=namespace, listener=theirs) as other,
    ):
        for losses in (1, 2):
            with admin(owned_server) as client:
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            events = ["connected", "disconnected"] * losses
            await until(lambda events=events: ours.events[: len(events)] == theirs.events[: len(events)] == events)  # type: ignore[misc]
            await until_on(level)
            await until_on(other)
            assert theirs.events[-1] == "connected"
            theirs.heard.clear()
            await level.invalidate_tags(["lists"])
            await until(lambda: "lists" in theirs.heard)


async def test_killed_connections_of_requests_are_replaced(owned_server: OwnedServer, namespace: str) -> None:
    async with level_at(owned_server.url, namespace=namespace) as level:
        with admin(owned_server) as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

        async def works() -> bool:
            return not await is_refused(level)

        await until(works)


async def test_level_is_not_read_after_a_failed_invalidation_until_it_is_made(
    owned_server: OwnedServer, namespace: str
) -> None:
    ledger = Ledger()
    async with level_at(owned_server.url, namespace=namespace, ledger=ledger) as level:
        ledger.pending = 1
        with admin(owned_server) as client:
            client.execute_command("CLIENT", "PAUSE", "3000", "WRITE")
            with pytest.raises(LevelUnavailable):
                await level.invalidate_tags(["lists"])
            client.execute_command("CLIENT", "UNPAUSE")
        assert is_refused_without_waiting(level)
        await until(lambda: level.state is LevelState.SETTLING)
        await level.invalidate_tags(["lists"])
        assert is_refused_without_waiting(level)
        ledger.pending = 0
        await until_on(level)
