"""Zone files of a machine whose rules are not the pinned ones.

The files are written here instead of taken from an old release of tz. In an old release most zones of today are still
right; here each zone is wrong, by 45 minutes and without daylight saving time, so that one look at the machine shows.
Names that tz has added since 2020 are missing, as they are on a machine of that year.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack
from typing import Final

from fairground.kernel.zones import get_zone, zone_names

ADDED_SINCE_2020: Final = frozenset(
    {"Europe/Kyiv", "America/Ciudad_Juarez", "America/Nuuk", "America/Coyhaique", "Pacific/Kanton", "Asia/Qostanay"}
)
_WRONG_BY: Final = timedelta(minutes=45)
_MID_2020: Final = datetime(2020, 7, 1, tzinfo=UTC)


def write_wrong_zone_files(folder: Path) -> None:
    """Fill a folder like `/usr/share/zoneinfo` with a wrong file for each zone that 2020 knew."""
    for name in zone_names() - ADDED_SINCE_2020:
        offset = (_MID_2020.astimezone(get_zone(name)).utcoffset() or timedelta(0)) + _WRONG_BY
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_fixed_offset(offset))


def machine_environment(folder: Path) -> Mapping[str, str]:
    """Return the variables by which Python, the C library and PostgreSQL's client use the zone files of a folder."""
    return {"PYTHONTZPATH": str(folder), "TZDIR": str(folder), "TZ": "America/Vancouver", "PGTZ": "America/Vancouver"}


def _fixed_offset(offset: timedelta) -> bytes:
    """Return a TZif file (RFC 9636) of one offset: header and data block in both versions, and the footer."""
    seconds = offset // timedelta(seconds=1)
    block = pack(">lBB", seconds, 0, 0) + b"OLD\0"
    counts = pack(">6L", 0, 0, 0, 0, 1, 4)  # no indicators, leap seconds or transitions; one type; its name
    # POSIX counts an offset westwards.
    hours, minutes = divmod(abs(seconds) // 60, 60)
    footer = f"\n<OLD>{'-' if seconds > 0 else ''}{hours}:{minutes:02}\n".encode()
    return b"".join([*(b"TZif" + version + bytes(15) + counts + block for version in (b"1", b"2")), footer])
