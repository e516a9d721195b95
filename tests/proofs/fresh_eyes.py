"""Readers and a writer of one provider at several servers, and how old what they were shown was."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Change:
    version: int
    server: int
    done_at: float


@dataclass(frozen=True)
class Look:
    version: int
    server: int
    began_at: float
    took_seconds: float = 0.0


@dataclass
class Eyes:
    """What was changed and what was seen. Versions are counted up, and stand in the provider's biography."""

    clients: Sequence[httpx.AsyncClient]
    path: str
    headers: dict[str, str]
    statuses: Counter[int] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    async def write(self, *, server: int) -> None:
        version = len(self.changes) + 1
        body = {"bio": f"{version}"}
        answer = await self.clients[server].patch(self.path, json=body, headers=self.headers)
        self.statuses[answer.status_code] += 1
        self.changes.append(Change(version, server, time.monotonic()))

    async def look(self, *, server: int) -> None:
        began_at = time.monotonic()
        answer = await self.clients[server].get(self.path)
        self.statuses[answer.status_code] += 1
        bio: Any = answer.json().get("bio", "")
        version = int(bio) if str(bio).isdigit() else 0
        self.looks.append(Look(version, server, began_at, took_seconds=time.monotonic() - began_at))

    async def keep_writing(self, *, pause_seconds: float) -> None:
        while True:
            await self.write(server=len(self.changes) % len(self.clients))
            await asyncio.sleep(pause_seconds)

    async def keep_looking(self, *, server: int, pause_seconds: float) -> None:
        while True:
            await self.look(server=server)
            await asyncio.sleep(pause_seconds)

    def oldest_seconds(self, *, at_its_own_server: bool) -> float:
        """Return the longest time, in seconds, after which a response still showed the state before an answered change.

        Args:
            at_its_own_server: Count only changes made at the server that gave the response; else all changes.
        """
        oldest = 0.0
        for look in self.looks:
            missed = [
                change.done_at
                for change in self.changes
                if change.version > look.version
                and change.done_at < look.began_at
                and (change.server == look.server or not at_its_own_server)
            ]
            oldest = max(oldest, look.began_at - min(missed, default=look.began_at))
        return oldest

    def usual_seconds(self, *, share: float) -> float:
        """Return what so large a share of the looks took at most."""
        taken = sorted(look.took_seconds for look in self.looks)
        return taken[int(share * (len(taken) - 1))]
