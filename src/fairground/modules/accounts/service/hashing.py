"""argon2id, off the event loop, never more at once than there are cores, and with a queue that has an end."""

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

# OWASP's second recommendation: about 20 ms and 19 MiB a hash. More memory would let fewer people sign in at once.
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
        # The cores that this process may use: a container gets few of those that the machine has.
        cores = len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="argon2")
        self._counting = threading.Lock()
        self._begun_or_waiting = 0
        self._most = cores * (1 + _QUEUE_PER_CORE)
        self._nobodys_hash = _nobodys_hash(algorithm)

    async def hash(self, password: str) -> str:
        """Raise HasherBusy when too many wait already; so does `verify`."""
        return await self._run(self._algorithm.hash, _bytes_of(password))

    async def verify(self, password: str, *, against: str | None) -> bool:
        """Tell whether a password has this hash. Without one the answer is no, after just as much work."""
        return await self._run(self._verify, against or self._nobodys_hash, _bytes_of(password))

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._algorithm.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._algorithm.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        if self._begun_or_waiting >= self._most:
            raise HasherBusy(f"{self._begun_or_waiting} passwords wait to be checked already.")
        with self._counting:
            self._begun_or_waiting += 1
        running = self._threads.submit(function, *arguments)
        # A caller that is cancelled leaves its hash to the thread, so only the end of the hash makes room.
        running.add_done_callback(self._make_room)
        return await asyncio.wrap_future(running)

    def _make_room(self, _ended: object) -> None:
        with self._counting:
            self._begun_or_waiting -= 1


def _nobodys_hash(algorithm: argon2.PasswordHasher) -> str:
    """Return what looks like a hash of this algorithm and is of no password: its digest is chance.

    Nothing has to be hashed for it, which each start and each command would wait for.
    """
    cost = f"m={algorithm.memory_cost},t={algorithm.time_cost},p={algorithm.parallelism}"
    salt, digest = (_base64(os.urandom(length)) for length in (algorithm.salt_len, algorithm.hash_len))
    return f"$argon2id$v={argon2.low_level.ARGON2_VERSION}${cost}${salt}${digest}"


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _bytes_of(password: str) -> bytes:
    # A JSON text may hold half a surrogate pair, which strict UTF-8 has no bytes for.
    return normalise_password(password).encode(errors="surrogatepass")
