"""Limits of a server's connections: how many there may be, and how long each may keep the server waiting."""

import asyncio
import heapq
import resource
import sys
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, Protocol

import structlog

from fairground.entrypoints.settings import Settings
from fairground.platform.http.identity import address_of, client_of
from fairground.platform.http.problems import ProblemResponse, plain_problem

log = structlog.get_logger()

SWEEP_SECONDS: Final = 1
LOG_SECONDS: Final = 60
CLOSE_SECONDS: Final = 2  # for a client to read why it is refused before the connection is reset
RESERVED_DESCRIPTORS: Final = 64
"""Kept for what serves a request besides its connection: database, cache, pictures and uploads."""
_ACTIVE_SECONDS: Final = 2  # a transfer that paused for less is not taken for silent
_RETRY_AFTER_SECONDS: Final = 5


class Wait(IntEnum):
    """What a connection waits for."""

    HEAD = 0
    BODY = 1
    READ = 2
    """The client has not read what was sent."""
    CLOSE = 3
    """The client has been refused, and has not closed."""
    IDLE = 4
    """The next request, which keep-alive limits."""
    ANSWER = 5
    """The application."""


_TRANSFERS: Final = frozenset({Wait.BODY, Wait.READ})


class Connection(Hashable, Protocol):
    """What is asked of a connection."""

    def progress(self) -> tuple[Wait, object]:
        """Return what it waits for, and a value that differs from the last one if anything has come since."""

    def expire(self) -> None:
        """End it, because it has waited too long."""

    def evict(self) -> None:
        """Close it to make room."""


@dataclass(slots=True)
class _Watch:
    client: str
    """Empty for a client without a limit."""
    since: int
    """The sweep that saw the last progress."""
    progress: tuple[Wait, object] = (Wait.HEAD, None)


@dataclass(slots=True)
class _Full:
    """What was done for want of room since it was logged."""

    closed: int = 0
    refused: int = 0


class Connections:
    """The connections of one server process.

    Times are counted in sweeps: a process that was stopped or busy for longer takes no client for silent.
    """

    def __init__(self, settings: Settings, *, trusted: Sequence[str], most: int) -> None:
        """Take the limits.

        Args:
            trusted: Addresses and networks of proxies. They hold the connections of many clients, so they have no
                limit of a client; nor has this machine.
            most: Connections at the same time.
        """
        limits = {
            Wait.HEAD: settings.http_head_seconds,
            Wait.BODY: settings.http_pause_seconds,
            Wait.READ: settings.http_pause_seconds,
            Wait.CLOSE: CLOSE_SECONDS,
        }
        self._limits = [limits.get(wait, sys.maxsize) for wait in Wait]
        self._most_of_client = settings.http_client_connections
        self._trusted = _Trusted(trusted)
        self._most = most
        self._watches: dict[Connection, _Watch] = {}
        self._clients: Counter[str] = Counter()
        self._sweeps = 0
        self._logged_at_sweep = -LOG_SECONDS
        self._full = _Full()

    def __len__(self) -> int:
        return len(self._watches)

    def admit(self, connection: Connection, *, host: str) -> ProblemResponse | None:
        """Take a connection, and close others that are silent if there is no room; or return why it is refused."""
        client = "" if host in self._trusted else client_of(host)
        if client and self._clients[client] >= self._most_of_client and not self._make_room(client):
            self._full.refused += 1
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too many connections from your address.")
        if len(self._watches) >= self._most and not self._make_room():
            self._full.refused += 1
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The server has too many connections.")
        self._watches[connection] = _Watch(client, self._sweeps)
        if client:
            self._clients[client] += 1
        return None

    def forget(self, connection: Connection) -> None:
        watch = self._watches.pop(connection, None)
        if watch is not None and watch.client:
            self._clients[watch.client] -= 1
            if not self._clients[watch.client]:
                del self._clients[watch.client]

    def _make_room(self, client: str = "") -> bool:
        """Close those that have been silent the longest, of one client or of all; return whether there were any."""
        silent = [
            (since, number, connection)
            for number, (connection, watch) in enumerate(self._watches.items())
            if (not client or watch.client == client) and (since := self._silent_since(connection, watch)) is not None
        ]
        # Several at once, because looking at all of them costs as much as closing a few.
        count = 1 if client else 1 + len(self._watches) // 64
        for _, _, connection in heapq.nsmallest(count, silent):
            # Its place is free at once; the descriptor follows in the next turn of the event loop.
            self.forget(connection)
            connection.evict()
            self._full.closed += 1
        return bool(silent)

    def _silent_since(self, connection: Connection, watch: _Watch) -> int | None:
        """Return the sweep since which the client has been silent; None for one that is served or sends."""
        progress = connection.progress()
        since = watch.since if progress == watch.progress else self._sweeps
        if progress[0] is Wait.ANSWER or (progress[0] in _TRANSFERS and self._sweeps - since < _ACTIVE_SECONDS):
            return None
        return since

    def sweep(self) -> None:
        """End the connections that have waited too long; called once a second."""
        self._sweeps += 1
        for connection, watch in list(self._watches.items()):
            progress = connection.progress()
            if progress != watch.progress:
                watch.progress, watch.since = progress, self._sweeps
            elif self._sweeps - watch.since > self._limits[progress[0]]:
                connection.expire()
        self._log_if_full()

    def _log_if_full(self) -> None:
        full = self._full
        if (full.closed or full.refused) and self._sweeps - self._logged_at_sweep >= LOG_SECONDS:
            self._logged_at_sweep = self._sweeps
            log.warning(
                "http.connections_full",
                connections=len(self._watches),
                most=self._most,
                closed=full.closed,
                refused=full.refused,
            )
            self._full = _Full()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Sweep while the block runs."""
        async with asyncio.TaskGroup() as group:
            sweeping = group.create_task(self._sweep_for_ever())
            try:
                yield
            finally:
                sweeping.cancel()

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()


class _Trusted:
    """Addresses and networks of proxies, and of this machine."""

    def __init__(self, names: Sequence[str]) -> None:
        self._is_everyone = "*" in names
        self._networks: list[IPv4Network | IPv6Network] = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
        for name in names:
            with suppress(ValueError):  # such as the path of a socket, which has no address
                self._networks.append(ip_network(name, strict=False))

    def __contains__(self, host: str) -> bool:
        address = address_of(host)
        return self._is_everyone or any(address in network for network in self._networks if address is not None)


def most_connections() -> int:
    """Return how many connections leave enough descriptors for what the process opens besides them."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(limit // 4, limit - sum(1 for _ in Path("/dev/fd").iterdir()) - RESERVED_DESCRIPTORS)


def _refusal(status: HTTPStatus, detail: str) -> ProblemResponse:
    refusal = plain_problem(
        status,
        code="server.too_many_connections",
        detail=detail,
        hint="Open fewer connections at once and try again later.",
    )
    refusal.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return refusal
