import asyncio
import os
import threading
import time
from typing import Any

import argon2
import pytest

from fairground.contracts.accounts import HasherBusy
from fairground.modules.accounts.service import password_hasher
from fairground.modules.accounts.service.password_hasher import PasswordHasher, default_algorithm
from tests.modules.accounts.stand_ins import CountingAlgorithm


class SlowAlgorithm(CountingAlgorithm):
    """Records the greatest number of threads that hashed at the same time."""

    def __init__(self) -> None:
        self.most_at_once = 0
        self._inside = 0
        self._lock = threading.Lock()
        super().__init__()

    def hash(self, *arguments: Any, **options: Any) -> str:
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
        time.sleep(0.02)
        with self._lock:
            self._inside -= 1
        return super().hash(*arguments, **options)


async def test_hashes_run_on_at_most_the_cores_of_the_process() -> None:
    algorithm = SlowAlgorithm()
    hasher = PasswordHasher(algorithm)
    await asyncio.gather(*(hasher.hash("a password") for _ in range(12)))
    hasher.close()

    assert 0 < algorithm.most_at_once <= len(os.sched_getaffinity(0))


async def test_process_with_one_core_of_many_hashes_one_password_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    algorithm = SlowAlgorithm()
    hasher = PasswordHasher(algorithm)
    await asyncio.gather(*(hasher.hash("a password") for _ in range(6)))
    hasher.close()

    assert algorithm.most_at_once == 1


async def test_password_beyond_the_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(password_hasher, "_QUEUE_PER_CORE", 3)
    hasher = PasswordHasher(SlowAlgorithm())
    outcomes = await asyncio.gather(*(hasher.hash("a password") for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(outcome, HasherBusy) for outcome in outcomes) == 5

    # The queue has room again, also after cancelled callers.
    for _ in range(9):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hasher.hash("a password"), timeout=0.001)
        await asyncio.sleep(0.1)
    assert (await hasher.hash("a password")).startswith("$argon2id$")
    hasher.close()


async def test_event_loop_runs_while_a_password_is_hashed() -> None:
    hasher = PasswordHasher(SlowAlgorithm())
    hashing = asyncio.ensure_future(hasher.hash("a password"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    hasher.close()

    assert turns > 10


async def test_missing_hash_costs_one_verification_and_no_password_matches_it() -> None:
    algorithm = CountingAlgorithm()
    hasher = PasswordHasher(algorithm)
    before = algorithm.computations
    answers = [await hasher.verify(password, against=None) for password in ("", "a password")]
    hasher.close()

    assert answers == [False, False]
    assert algorithm.computations - before == 2


def test_dummy_hash_has_the_parameters_of_a_real_one_and_is_random() -> None:
    algorithm = default_algorithm()
    first, second = (PasswordHasher(algorithm)._dummy_hash for _ in range(2))

    assert argon2.extract_parameters(first) == argon2.extract_parameters(algorithm.hash("a password"))
    assert first != second


@pytest.mark.parametrize("stored", ["not a hash", "$argon2id$v=19$m=8,t=1,p=1$broken"])
async def test_broken_hash_matches_no_password(stored: str) -> None:
    hasher = PasswordHasher(CountingAlgorithm())
    assert await hasher.verify("a password", against=stored) is False
    hasher.close()


def test_parameters_are_those_of_the_decision() -> None:
    assert default_algorithm().hash("a password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
