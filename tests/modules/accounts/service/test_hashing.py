import asyncio
import os
import threading
import time
from typing import Any

import argon2
import pytest

from fairground.contracts.accounts import HasherBusy
from fairground.modules.accounts.service import hashing
from fairground.modules.accounts.service.hashing import PasswordHasher, default_algorithm
from tests.modules.accounts.stand_ins import CountingAlgorithm


class SlowAlgorithm(CountingAlgorithm):
    """Remembers how many threads were inside at the same time."""

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


async def test_never_more_hashes_run_at_once_than_the_process_has_cores() -> None:
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


async def test_password_that_would_wait_behind_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(hashing, "_QUEUE_PER_CORE", 3)
    hasher = PasswordHasher(SlowAlgorithm())
    outcomes = await asyncio.gather(*(hasher.hash("a password") for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(outcome, HasherBusy) for outcome in outcomes) == 5

    # There is room again, also after callers that gave up.
    for _ in range(9):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hasher.hash("a password"), timeout=0.001)
        await asyncio.sleep(0.1)
    assert (await hasher.hash("a password")).startswith("$argon2id$")
    hasher.close()


async def test_the_event_loop_goes_on_while_a_password_is_hashed() -> None:
    hasher = PasswordHasher(SlowAlgorithm())
    hashing = asyncio.ensure_future(hasher.hash("a password"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    hasher.close()

    assert turns > 10


async def test_nobodys_hash_is_verified_with_the_same_work_and_never_right() -> None:
    algorithm = CountingAlgorithm()
    hasher = PasswordHasher(algorithm)
    before = algorithm.computations
    answers = [await hasher.verify(password, against=None) for password in ("", "a password")]
    hasher.close()

    assert answers == [False, False]
    assert algorithm.computations - before == 2


def test_nobodys_hash_costs_what_a_real_one_does_and_is_always_another() -> None:
    algorithm = default_algorithm()
    first, second = (PasswordHasher(algorithm)._nobodys_hash for _ in range(2))

    assert argon2.extract_parameters(first) == argon2.extract_parameters(algorithm.hash("a password"))
    assert first != second


@pytest.mark.parametrize("stored", ["not a hash", "$argon2id$v=19$m=8,t=1,p=1$broken"])
async def test_a_broken_hash_is_nobodys_password(stored: str) -> None:
    hasher = PasswordHasher(CountingAlgorithm())
    assert await hasher.verify("a password", against=stored) is False
    hasher.close()


def test_the_parameters_are_those_that_were_decided() -> None:
    assert default_algorithm().hash("a password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
