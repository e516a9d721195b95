"""The memory level: ready answers of one process, bounded by bytes, the least wanted ones dropped first."""

from dataclasses import dataclass, field

from fairground.platform.cache.entry import Entry
from fairground.platform.cache.tags import State


@dataclass(slots=True, eq=False)
class Kept:
    """An entry in memory, and what must still hold for it to be given."""

    key: str
    entry: Entry
    tags: tuple[str, ...]
    state: State
    """Of its tags, read before the entry was computed or fetched."""
    trusted_until: float
    """Beside a shared level a copy is believed for moments only, in seconds since 1970."""
    checked_at_invalidations: int = -1
    """The number of renewals at which the state was last found to hold."""
    bytes: int = 0
    is_wanted: bool = False
    newer: "Kept | None" = field(default=None, repr=False)
    older: "Kept | None" = field(default=None, repr=False)


class MemoryLevel:
    """SIEVE (Zhang et al., NSDI '24): a hit costs one flag, and a scan passes through without harm.

    Entries stand in the order of their arrival. The hand goes from the oldest to the newest; it spares what was hit
    since it came by, and drops what was not.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self.evictions = 0
        self._kept: dict[str, Kept] = {}
        self._newest: Kept | None = None
        self._oldest: Kept | None = None
        self._hand: Kept | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            kept.is_wanted = True
        return kept

    def put(self, kept: Kept) -> None:
        """Keep an entry, in place of the one of the same key; one that is larger than all of memory is not kept."""
        before = self._kept.get(kept.key)
        if before is not None:
            # What is renewed stays as wanted as it was, at a new place.
            kept.is_wanted = before.is_wanted
            self._remove(before)
        kept.bytes = kept.entry.memory_bytes
        if kept.bytes > self.most_bytes:
            return
        self._kept[kept.key] = kept
        kept.older = self._newest
        if self._newest is not None:
            self._newest.newer = kept
        self._newest = kept
        self._oldest = self._oldest or kept
        self.bytes += kept.bytes
        self._shrink()

    def weigh(self, kept: Kept) -> None:
        """Count an entry anew whose bodies have grown by a coding."""
        if self._kept.get(kept.key) is kept:
            grown = kept.entry.memory_bytes
            self.bytes += grown - kept.bytes
            kept.bytes = grown
            self._shrink()

    def clear(self) -> None:
        self._kept.clear()
        self._newest = self._oldest = self._hand = None
        self.bytes = 0

    def _shrink(self) -> None:
        while self.bytes > self.most_bytes:
            hand = self._hand or self._oldest
            if hand is None:
                return
            while hand.is_wanted:
                hand.is_wanted = False
                hand = hand.newer or self._oldest or hand
            self._hand = hand.newer
            self._remove(hand)
            self.evictions += 1

    def _remove(self, kept: Kept) -> None:
        del self._kept[kept.key]
        self.bytes -= kept.bytes
        if self._hand is kept:
            self._hand = kept.newer
        if kept.newer is not None:
            kept.newer.older = kept.older
        else:
            self._newest = kept.older
        if kept.older is not None:
            kept.older.newer = kept.newer
        else:
            self._oldest = kept.newer
        kept.newer = kept.older = None
