"""Checks for operators: whether a server can be the shared level."""

import time
from typing import Final
from urllib.parse import urlsplit

import redis

from fairground.platform.cache.redis.connections import ANSWER_SECONDS, ServerConnection
from fairground.platform.cache.redis.protocol import Command, Reply
from fairground.platform.cache.shared_level import LevelUnavailable
from fairground.platform.module import CheckResult, CheckStatus

OLDEST: Final = (6, 2)
_ROUND_TRIPS: Final = 20
# volatile-lru evicts keys with a time to live, as all of ours have.
_EVICTING: Final = frozenset({"allkeys-lfu", "allkeys-lru", "volatile-lru"})
_MEMORY_SHARE_MAX: Final = 0.8
_SLOW_SECONDS: Final = ANSWER_SECONDS / 5
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1", None})


async def check_server(url: str, *, namespace: str) -> list[CheckResult]:
    """Connect, write, read, and check how the server is set up. A server that cannot be reached is one result.

    Raises:
        ValueError: The URL cannot be used.
    """
    connection = ServerConnection(url)
    try:
        information = await _execute(connection, ("INFO", "everything"))
        facts = dict(line.split(":", 1) for line in bytes(information).decode().splitlines() if ":" in line)
        trip = await _round_trip(connection, key=f"{namespace}:check")
        return [_version(facts), trip, _role(facts), _policy(facts), _memory(facts), _encryption(url)]
    except LevelUnavailable as error:
        return [CheckResult(CheckStatus.FAILED, f"It cannot be used: {error}")]
    finally:
        connection.close()


async def _execute(connection: ServerConnection, command: Command) -> Reply:
    [reply] = (await connection.exchange([command])).values
    if isinstance(reply, redis.ResponseError):
        raise LevelUnavailable(f"{command[0]!s} was refused: {reply}")
    return reply


async def _round_trip(connection: ServerConnection, *, key: str) -> CheckResult:
    value = b"written and read"
    await _execute(connection, ("SET", key, value, "EX", 60))
    taken = []
    for _ in range(_ROUND_TRIPS):
        began_at = time.perf_counter()
        if await _execute(connection, ("GET", key)) != value:
            return CheckResult(CheckStatus.FAILED, "What was written could not be read.")
        taken.append(time.perf_counter() - began_at)
    await _execute(connection, ("DEL", key))
    usual = sorted(taken)[_ROUND_TRIPS // 2]
    outcome = f"written and read, a round trip takes {usual * 1000:.1f} ms"
    if usual > _SLOW_SECONDS:
        return CheckResult(CheckStatus.WARNING, f"{outcome}; beyond {ANSWER_SECONDS * 1000:.0f} ms it is left alone")
    return CheckResult(CheckStatus.OK, outcome)


def _version(facts: dict[str, str]) -> CheckResult:
    name, number = (
        ("Valkey", facts["valkey_version"]) if "valkey_version" in facts else ("Redis", facts["redis_version"])
    )
    is_new = tuple(int(part) for part in number.split(".")[:2]) >= OLDEST
    if is_new:
        return CheckResult(CheckStatus.OK, f"{name} {number}")
    return CheckResult(CheckStatus.FAILED, f"{name} {number} is too old; 6.2 or newer is needed")


def _role(facts: dict[str, str]) -> CheckResult:
    if facts.get("cluster_enabled") == "1":
        return CheckResult(CheckStatus.FAILED, "it is a part of a cluster, and only single servers are supported")
    if facts.get("role") == "master":
        return CheckResult(CheckStatus.OK, "it is the primary")
    return CheckResult(CheckStatus.FAILED, "it is a replica, which refuses invalidations")


def _policy(facts: dict[str, str]) -> CheckResult:
    policy = facts.get("maxmemory_policy", "unknown")
    if policy in _EVICTING:
        return CheckResult(CheckStatus.OK, f"maxmemory-policy {policy}")
    return CheckResult(CheckStatus.FAILED, f"maxmemory-policy {policy}: set allkeys-lfu, so that new answers find room")


def _memory(facts: dict[str, str]) -> CheckResult:
    used, most = int(facts["used_memory"]), int(facts.get("maxmemory", 0))
    if not most:
        return CheckResult(CheckStatus.WARNING, "maxmemory is not set: it grows until the machine has no memory left")
    usage = f"{used / 2**20:.0f} of {most / 2**20:.0f} MiB in use, {facts.get('evicted_keys', '0')} keys evicted so far"
    if used > _MEMORY_SHARE_MAX * most:
        return CheckResult(
            CheckStatus.FAILED, f"{usage}: beyond {_MEMORY_SHARE_MAX:.0%} raise maxmemory, or share it with less"
        )
    return CheckResult(CheckStatus.OK, usage)


def _encryption(url: str) -> CheckResult:
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        return CheckResult(CheckStatus.OK, "encrypted")
    if parts.hostname in _LOCAL_HOSTS:
        return CheckResult(CheckStatus.OK, "not encrypted, and does not leave this machine")
    return CheckResult(
        CheckStatus.WARNING, f"not encrypted on its way to {parts.hostname}: use rediss:// or a private network"
    )
