import asyncio
import os
import threading
import time
from typing import Any

import argon2
import pytest

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


async def test_never_more_hashes_run_at_once_than_there_are_cores() -> None:
    algorithm = SlowAlgorithm()
    hasher = PasswordHasher(algorithm)
    await asyncio.gather(*(hasher.hash("a password") for _ in range(12)))
    hasher.close()

    assert algorithm.most_at_once <= (os.cpu_count() or 1)


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
