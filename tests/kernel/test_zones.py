from datetime import UTC, datetime

import pytest

from fairground.kernel.zones import (
    find_zone,
    first_instant,
    get_zone,
    last_instant,
    selectable_zone_names,
    zone_names,
)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/localtime", "localtime", "Europe", "", "Europe/Atlantis"])
def test_name_outside_the_list_is_no_zone(name: str) -> None:
    assert find_zone(name) is None
    with pytest.raises(LookupError, match="has no time zone"):
        get_zone(name)


def test_every_listed_name_is_a_zone_by_that_name() -> None:
    assert len(zone_names()) > 590
    assert {get_zone(name).key for name in zone_names()} == zone_names()


def test_alias_is_accepted_and_has_the_rules_of_its_zone() -> None:
    noon = datetime(2027, 1, 12, 12, tzinfo=UTC)
    for alias, name in [("Asia/Calcutta", "Asia/Kolkata"), ("Europe/Kiev", "Europe/Kyiv"), ("US/Pacific", "PST8PDT")]:
        assert noon.astimezone(get_zone(alias)).utcoffset() == noon.astimezone(get_zone(name)).utcoffset()


def test_choice_has_each_zone_once() -> None:
    names = selectable_zone_names()
    assert len(names) == len(set(names)) > 400
    assert set(names) <= zone_names()
    assert {"UTC", "Asia/Kolkata", "Africa/Asmara", "Europe/Kyiv", "America/Nuuk"} <= set(names)
    assert not {"Asia/Calcutta", "Africa/Asmera", "Europe/Kiev", "America/Godthab", "US/Pacific", "GMT"} & set(names)


@pytest.mark.parametrize(
    ("wall", "first", "last"),
    [
        ("2026-07-01T01:30", "2026-07-01T05:30Z", "2026-07-01T05:30Z"),
        ("2026-11-01T01:30", "2026-11-01T05:30Z", "2026-11-01T06:30Z"),  # shown twice
        ("2026-03-08T02:30", "2026-03-08T07:00Z", "2026-03-08T07:00Z"),  # skipped
    ],
)
def test_wall_time_has_a_first_and_a_last_instant(wall: str, first: str, last: str) -> None:
    zone, local = get_zone("America/New_York"), datetime.fromisoformat(wall)
    assert first_instant(local, zone=zone) == datetime.fromisoformat(first)
    assert last_instant(local, zone=zone) == datetime.fromisoformat(last)
