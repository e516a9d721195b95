"""The counters of the cache, by route. Names come from policies, so their number is limited."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class CacheStats:
    """Counts since the start of the process."""

    served: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By route and HIT, MISS, STALE or BYPASS."""
    not_modified: Counter[str] = field(default_factory=Counter)
    collapsed: Counter[str] = field(default_factory=Counter)
    """Requests that waited for another request's computation."""
    computed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    refreshed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By route and reason: `early`, or `stale`."""
    shared_hits: Counter[str] = field(default_factory=Counter)
    shared_failures: int = 0
    damaged: int = 0
    """Entries of the shared level that could not be decoded."""
    invalidated_tags: int = 0
