"""Identifiers: UUID version 7 (RFC 9562 §5.7), so that rows that are created together are adjacent in an index."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

_last_tick = 0


def time_of(identifier: UUID) -> datetime:
    """Return when a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def uuid7() -> UUID:
    """Return a new UUIDv7 that sorts after every other one made by this process.

    The 12 bits after the milliseconds hold its fraction (RFC 9562 §6.2, method 3); a tick that repeats is moved on by
    one, so the order holds even when two ids are made within a quarter of a microsecond.
    """
    global _last_tick  # noqa: PLW0603 - the order of ids is a property of the process
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    tick = (milliseconds << 12) | (nanoseconds * 4096 // 1_000_000)
    _last_tick = tick = max(tick, _last_tick + 1)
    high = (tick >> 12) << 16 | 0x7000 | (tick & 0xFFF)
    return UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62))
