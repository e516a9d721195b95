from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fairground.platform.cache.redis.server_checks import _encryption, _memory, _policy
from fairground.platform.module import CheckStatus
from tests.entrypoints.cli.conftest import CommandLine
from tests.support.databases import copy_of
from tests.support.servers import Installation, ServerProcess
from tests.support.waiting import wait_until
from tools.redis import OwnedServer


@pytest.fixture
def served(sqlite_template: Path, tmp_path: Path) -> Installation:
    # On a machine with other things to do, a minute may pass between an answer and the question whether it is kept.
    lives = {f"FAIRGROUND_CACHE_{life}_SECONDS": "3600" for life in ("LISTS", "DETAILS", "PAGES")}
    return Installation(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "served", **lives)


@pytest.fixture
def server(served: Installation) -> Iterator[ServerProcess]:
    with served.serving() as running:
        yield running


@pytest.fixture
def beside(cli: CommandLine, served: Installation) -> CommandLine:
    """Run commands beside the server."""
    cli.set(DATABASE_URL=served.database_url)
    return cli


def test_three_calls_prove_the_cache_of_a_running_server(beside: CommandLine, server: ServerProcess) -> None:
    outcome = beside("cache", "verify", "--url", server.url)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * 3
    assert all(word in line for line in lines for word in ("MISS", "HIT", "304"))


def test_prewarmed_responses_are_hits(beside: CommandLine, server: ServerProcess) -> None:
    outcome = beside("prewarm", "--url", server.url)
    assert (outcome.code, outcome.err) == (0, "")
    *lines, summary = outcome.out.splitlines()
    assert summary == f"{len(lines)} responses, 0 failed."
    assert all(line.startswith("200  MISS ") for line in lines)
    warmed = {line.split()[-1] for line in lines}
    assert {"/", "/c/chefs", "/c/artists?category=dj&sort=newest", "/api/v1/tutors?sort=top_rated"} <= warmed
    with httpx.Client(base_url=server.url) as client:
        assert {client.get(path).headers["x-cache"] for path in warmed} == {"HIT"}


def test_a_server_that_is_not_there_cannot_be_prewarmed(beside: CommandLine) -> None:
    assert beside("prewarm", "--url", "http://127.0.0.1:1").refusal.startswith(
        "No server answers at http://127.0.0.1:1"
    )


def test_stats_are_those_of_the_server(beside: CommandLine, server: ServerProcess) -> None:
    assert "there isn't one yet" in beside("cache", "stats", "--url", server.url).refusal
    password = ["--password-stdin"]
    beside("users", "create", "--role", "admin", "--email", "s@example.org", *password, stdin="four good words ok\n")
    beside("cache", "verify", "--url", server.url)
    outcome = beside("cache", "stats", "--url", server.url)
    assert outcome.code == 0, outcome.err
    (figures,) = [line.split() for line in outcome.out.splitlines() if line.startswith("providers")]
    assert figures == ["providers", "6", "3", "0", "0", "3", "3", "66.7%"]
    assert "shared level: none" in outcome.out


def test_a_flush_beside_the_server_reaches_it(beside: CommandLine, server: ServerProcess) -> None:
    def how(path: str) -> str:
        return httpx.get(f"{server.url}/api/v1{path}").headers["x-cache"]

    for path in ("/verticals", "/artists"):
        how(path)
        assert how(path) == "HIT"
    assert beside("cache", "flush", "lists").out.startswith("Cleared: life:lists.")
    wait_until(lambda: how("/artists") == "MISS")
    assert how("/verticals") == "HIT"
    assert beside("cache", "flush").out.startswith("Cleared: everything.")
    wait_until(lambda: how("/verticals") == "MISS")
    kept = [line.split("  ") for line in beside("cache", "flushes").out.splitlines()]
    assert [tags for _, _, tags in kept] == ["everything", "life:lists"]
    assert all(actor.startswith("command, ") for _, actor, _ in kept)


def test_impossible_flush_is_refused_with_the_reason(installed: CommandLine, migrated_url: str) -> None:
    assert "not both" in installed("cache", "flush", "lists", "--provider", "maya").refusal
    refusal = installed("cache", "flush", "--provider", "maya").refusal
    assert ("Provider maya does not exist" if migrated_url.startswith("sqlite") else "FAIRGROUND_REDIS_URL") in refusal
    assert "--help" in installed("cache", "flush", "nonsense").refusal


def test_unreachable_server_is_named(installed: CommandLine) -> None:
    assert (
        "No server answers at http://127.0.0.1:9" in installed("cache", "verify", "--url", "http://127.0.0.1:9").refusal
    )


def test_invalid_redis_address_is_refused(installed: CommandLine) -> None:
    installed.set(REDIS_URL="http://localhost")
    assert "FAIRGROUND_REDIS_URL is not valid" in installed("routes").refusal


FIT = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu")


def verdicts(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()]


def test_a_redis_that_is_set_up_well_passes(cli: CommandLine) -> None:
    with OwnedServer(*FIT) as server:
        cli.set(REDIS_URL=server.url)
        outcome = cli("cache", "check")
    assert (outcome.code, outcome.err, verdicts(outcome.out)) == (0, "", ["ok"] * 6)
    assert "round trip" in outcome.out


def test_unconfigured_redis_fails_with_its_missing_settings(cli: CommandLine) -> None:
    with OwnedServer() as server:
        cli.set(REDIS_URL=server.url)
        outcome = cli("cache", "check")
    assert outcome.code == 1
    assert "maxmemory-policy noeviction: set allkeys-lfu" in outcome.out
    assert "maxmemory is not set" in outcome.out


def test_a_redis_that_is_away_or_a_replica_fails(cli: CommandLine) -> None:
    with OwnedServer(*FIT, "--replicaof", "127.0.0.1 1") as server:
        cli.set(REDIS_URL=server.url)
        replica = cli("cache", "check")
    away = cli("cache", "check")
    assert (replica.code, away.code) == (1, 1)
    assert "read only" in replica.out
    assert "It cannot be used" in away.out


def test_an_unencrypted_way_to_another_machine_is_warned_of() -> None:
    assert _encryption("redis://cache.internal:6379").status is CheckStatus.WARNING
    assert _encryption("rediss://cache.internal:6379").status is CheckStatus.OK
    assert _encryption("redis://user:secret@[::1]:6379").status is CheckStatus.OK


@pytest.mark.parametrize(
    ("used_bytes", "status"), [(0, CheckStatus.OK), (80_000_000, CheckStatus.OK), (80_000_001, CheckStatus.FAILED)]
)
def test_redis_memory_beyond_four_fifths_fails(used_bytes: int, status: CheckStatus) -> None:
    assert _memory({"used_memory": str(used_bytes), "maxmemory": "100000000"}).status is status


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ("allkeys-lfu", CheckStatus.OK),
        ("allkeys-lru", CheckStatus.OK),
        ("volatile-lru", CheckStatus.OK),
        ("noeviction", CheckStatus.FAILED),
        ("allkeys-random", CheckStatus.FAILED),
        ("volatile-ttl", CheckStatus.FAILED),
    ],
)
def test_redis_policy_must_evict_rarely_requested_entries(policy: str, status: CheckStatus) -> None:
    assert _policy({"maxmemory_policy": policy}).status is status


def test_cache_check_without_a_redis_address_is_refused(cli: CommandLine) -> None:
    assert "FAIRGROUND_REDIS_URL is not set" in cli("cache", "check").refusal
