"""What the response cache asks of a level that several processes share. Without one, a single process works alone."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class LevelUnavailable(Exception):
    """The shared level cannot be used now: it does not answer, refuses, or is kept out until it is known to be right.

    Raised at once while that is known, without waiting. Whoever asked goes on without the level.
    """


class LevelState(StrEnum):
    OFF = "off"
    """The server does not answer, or is left alone."""
    SETTLING = "settling"
    """It answers, but is not read from until every renewal that it may have missed is known to have been made."""
    ON = "on"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer to `look_up`, in the order in which it was asked."""

    fields: tuple[bytes | None, ...]
    """None for each field that is not stored; all None where there is no entry."""
    tokens: tuple[bytes | None, ...]
    """None for each tag that has no token (any more), which no stored entry can equal."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer to `claim`."""

    found: Found
    """What was stored when the lease was asked for; every tag has a token, unless what is stored will do."""
    is_ours: bool
    others_seconds: float | None
    """How long another owner has the lease yet, unless he keeps it; None where it is ours or was not asked for."""


class Notice(Protocol):
    async def wait(self, *, timeout_seconds: float) -> None:
        """Return when the lease was released since the notice was opened, or was last waited for, or in time.

        Early and needless returns are harmless: whoever waited looks again. A notice may be lost with its connection.
        """
        ...


class TagListener(Protocol):
    """Who keeps copies of what the level holds. Called on the event loop; returns at once and never raises."""

    def tags_invalidated(self, tags: Collection[str]) -> None:
        """Some process, this one included, has renewed these tags."""
        ...

    def disconnected(self) -> None:
        """Renewals may have been missed, and will be, until `connected`. Also the state before the first one."""
        ...

    def connected(self) -> None:
        """From now on every renewal is told."""
        ...


class SharedLevel(Protocol):
    """Entries are named fields of bytes under a key, with a time to live; tags are names with a random token each.

    Keys, field names and tags are short ASCII. No method takes longer than the level's own short limit; there is no
    retry in it. The level neither reads entries nor compares tokens.

    Raises:
        LevelUnavailable: From every coroutine below.
    """

    @property
    def state(self) -> LevelState: ...

    async def look_up(self, key: str, *, fields: Sequence[str], tags: Sequence[str]) -> Found:
        """Read fields of an entry and the tokens of the tags, in one round trip."""
        ...

    async def claim(
        self, key: str, *, owner: str, seconds: float, fields: Sequence[str], tags: Sequence[str], anyhow: bool
    ) -> Claim:
        """Take the right to compute the entry, unless another owner has it, and look it up, in one round trip.

        Tags that have no token get random ones. Whoever claims again because no answer came, has what he took.

        Args:
            anyhow: False to look up alone where an entry is stored, whatever it is worth.
        """
        ...

    async def store(self, key: str, *, owner: str, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Replace an entry, as a whole and with its time to live, at once, and give the lease back as `release_lease`.

        That is one round trip. Without room for the entry the lease is given back all the same.
        """
        ...

    async def invalidate_tags(self, tags: Collection[str]) -> None:
        """Give each tag a new random token, which voids every entry that was stored under the old one, and tell all.

        When it returns, every later `look_up` of any process sees the new tokens.
        """
        ...

    async def renew_lease(self, key: str, *, owner: str, seconds: float) -> bool:
        """Keep a lease for so long from now. Return False when it is no longer the owner's."""
        ...

    async def release_lease(self, key: str, *, owner: str) -> None:
        """Give a lease back, if it is still the owner's, and tell those who wait for it."""
        ...

    def notices(self, key: str) -> AbstractAsyncContextManager[Notice]:
        """Hear of the release of every lease of the key that a claim was refused for, by any process.

        From the moment the block is entered; that is before the claim, so that no release falls between it and waiting.
        """
        ...

    def listen(self, listener: TagListener) -> None:
        """Tell a listener of all renewals from `running` on. Called once, before it."""
        ...

    def describe(self) -> str:
        """Say in a few words how it stands: `on`, `settling`, or `off` with the reason."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Hold the level's connections while the block runs. It is entered whether or not the level can be reached."""
        ...


class Backlog(Protocol):
    """The renewals that are written in the database and not yet known to have reached the shared level."""

    async def is_settled(self) -> bool:
        """Return whether every renewal that was committed before this call has been made in the shared level.

        A level that was unusable for a while is not read from again before: its entries may be older than mutations
        whose renewal it missed.

        Raises:
            DatabaseUnavailable: The database does not answer, so nobody knows.
        """
        ...
