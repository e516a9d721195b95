"""A process that prints the times of each part of the program, for a test that compares machines."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from babel import Locale

from fairground.kernel.zones import get_zone, selectable_zone_names, zone_names
from fairground.modules.discovery.domain.availability_summary import free_on
from fairground.modules.providers.domain.profiles import check_profile
from fairground.platform.locale_formatter import LocaleFormatter
from fairground.verticals.loader import load_verticals
from fairground.web.availability_calendar import free_days, part_of_day
from fairground.web.formats import Formats, date_in
from fairground.web.pages.dashboard_profile import zone_options

INSTANTS = [datetime(2027, month, 12, 7, 30, tzinfo=UTC) for month in range(1, 13)]
NOW = datetime(2027, 1, 12, 11, 58, tzinfo=UTC)


def _statements_of(zone: str) -> list[str]:
    words, formats, hour = LocaleFormatter(Locale.parse("en_GB")), Formats(Locale.parse("en_GB")), timedelta(hours=1)
    said = [words.between(at, at + hour, zone) for at in INSTANTS]
    said += [str(formats.between(at, at + hour, zone)) for at in INSTANTS]
    said += [f"{date_in(at, zone)} {part_of_day(at, zone=zone)} {free_days([at], zone=zone)}" for at in INSTANTS]
    return [*said, str(check_profile({"timezone": zone})), f"{NOW.astimezone(get_zone(zone)).isoformat()}"]


def witness() -> dict[str, Any]:
    packs = load_verticals().packs
    found = free_on((NOW + timedelta(days=1)).date(), packs=packs, now=NOW)
    return {
        "zones": {zone: _statements_of(zone) for zone in sorted(zone_names())},
        "first_starts": {key: [starts.usual, dict(starts.zones)] for key, starts in found.first_starts.items()},
        "choices": [*selectable_zone_names(), *(words for _, words in zone_options())],
    }


if __name__ == "__main__":
    print(json.dumps(witness()))
