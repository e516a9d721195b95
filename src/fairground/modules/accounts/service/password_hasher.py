"""Passwords are hashed with argon2id, off the event loop, at most one for each core, with a bounded queue."""

import asyncio
import base64
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any, Final, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from fairground.contracts.accounts import HasherBusy
from fairground.modules.accounts.domain import normalise_password

# OWASP's second recommendation: about 20 ms and 19 MiB a hash. More memory would allow fewer sign-ins at once.
_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_LANES: Final = 1
_QUEUE_PER_CORE: Final = 50  # about a second of waiting

_Result = TypeVar("_Result")


def default_algorithm() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


def load_well_known_passwords() -> frozenset[str]:
    text = (resources.files("fairground.modules.accounts") / "well_known_passwords.txt").read_text()
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


class PasswordHasher:
    def __init__(self, algorithm: argon2.PasswordHasher) -> None:
        self._algorithm = algorithm
        # The cores that this process may use: a container may get few of those of the machine, and a hash takes 19 MiB.
        cores = len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="argon2")
        self._pending_lock = threading.Lock()
        self._pending = 0
        self._pending_max = cores * (1 + _QUEUE_PER_CORE)
        self._dummy_hash = _dummy_hash(algorithm)

    async def hash(self, password: str) -> str:
        """Raise HasherBusy when too many wait already; so does `verify`."""
        return await self._run(self._algorithm.hash, _bytes_of(password))

    async def verify(self, password: str, *, against: str | None) -> bool:
        """Tell whether a password has this hash. Without a hash the answer is no, after the same work."""
        return await self._run(self._verify, against or self._dummy_hash, _bytes_of(password))

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with other parameters than those of the algorithm."""
        return self._algorithm.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._algorithm.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        if self._pending >= self._pending_max:
            raise HasherBusy(f"{self._pending} passwords wait to be checked already.")
        with self._pending_lock:
            self._pending += 1
        running = self._threads.submit(function, *arguments)
        # Cancelling a caller does not stop its thread, so the slot is free when the hash ends.
        running.add_done_callback(self._release)
        return await asyncio.wrap_future(running)

    def _release(self, _ended: object) -> None:
        with self._pending_lock:
            self._pending -= 1


def _dummy_hash(algorithm: argon2.PasswordHasher) -> str:
    """Return random bytes in the form of a hash of this algorithm; no password has it.

    It is not computed, because each start and each command would wait for that.
    """
    cost = f"m={algorithm.memory_cost},t={algorithm.time_cost},p={algorithm.parallelism}"
    salt, digest = (_base64(os.urandom(length)) for length in (algorithm.salt_len, algorithm.hash_len))
    return f"$argon2id$v={argon2.low_level.ARGON2_VERSION}${cost}${salt}${digest}"


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _bytes_of(password: str) -> bytes:
    # A JSON text may hold half a surrogate pair, which strict UTF-8 has no bytes for.
    return normalise_password(password).encode(errors="surrogatepass")
