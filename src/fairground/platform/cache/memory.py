"""The memory level: the entries of one process, limited by bytes, evicted by SIEVE."""

from dataclasses import dataclass, field

from fairground.platform.cache.entry import Entry
from fairground.platform.cache.invalidation import TagState


@dataclass(slots=True, eq=False)
class MemoryEntry:
    """An entry in memory, and the conditions under which it may be served."""

    key: str
    entry: Entry
    tags: tuple[str, ...]
    state: TagState
    """Of its tags, read before the entry was computed or fetched."""
    trusted_until: float
    """In seconds since 1970. Infinite without a shared level; a copy of its entry is trusted for moments only."""
    checked_at_invalidations: int = -1
    """The number of invalidations at which the state was last found to be current."""
    bytes: int = 0
    is_visited: bool = False
    newer: "MemoryEntry | None" = field(default=None, repr=False)
    older: "MemoryEntry | None" = field(default=None, repr=False)


class MemoryLevel:
    """SIEVE (Zhang et al., NSDI '24): a hit sets one flag, and a scan evicts no popular entry.

    Entries are in the order of their arrival. The hand moves from the oldest to the newest; it clears the flag of each
    entry that was hit since it last passed, and evicts the first one that was not.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self.evictions = 0
        self._entries: dict[str, MemoryEntry] = {}
        self._newest: MemoryEntry | None = None
        self._oldest: MemoryEntry | None = None
        self._hand: MemoryEntry | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> MemoryEntry | None:
        entry = self._entries.get(key)
        if entry is not None:
            entry.is_visited = True
        return entry

    def put(self, entry: MemoryEntry) -> None:
        """Store an entry in place of the one with the same key, unless it is larger than the whole memory level."""
        before = self._entries.get(entry.key)
        if before is not None:
            # A refreshed entry keeps its flag, at a new place.
            entry.is_visited = before.is_visited
            self._remove(before)
        entry.bytes = entry.entry.memory_bytes
        if entry.bytes > self.most_bytes:
            return
        self._entries[entry.key] = entry
        entry.older = self._newest
        if self._newest is not None:
            self._newest.newer = entry
        self._newest = entry
        self._oldest = self._oldest or entry
        self.bytes += entry.bytes
        self._evict()

    def update_size(self, entry: MemoryEntry) -> None:
        """Count the bytes of an entry again, because it has a further variant."""
        if self._entries.get(entry.key) is entry:
            grown = entry.entry.memory_bytes
            self.bytes += grown - entry.bytes
            entry.bytes = grown
            self._evict()

    def clear(self) -> None:
        self._entries.clear()
        self._newest = self._oldest = self._hand = None
        self.bytes = 0

    def _evict(self) -> None:
        while self.bytes > self.most_bytes:
            hand = self._hand or self._oldest
            if hand is None:
                return
            while hand.is_visited:
                hand.is_visited = False
                hand = hand.newer or self._oldest or hand
            self._hand = hand.newer
            self._remove(hand)
            self.evictions += 1

    def _remove(self, entry: MemoryEntry) -> None:
        del self._entries[entry.key]
        self.bytes -= entry.bytes
        if self._hand is entry:
            self._hand = entry.newer
        if entry.newer is not None:
            entry.newer.older = entry.older
        else:
            self._newest = entry.older
        if entry.older is not None:
            entry.older.newer = entry.newer
        else:
            self._oldest = entry.newer
        entry.newer = entry.older = None
