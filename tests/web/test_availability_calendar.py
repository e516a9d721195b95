from datetime import UTC, date, datetime

from babel import Locale

from fairground.web.availability_calendar import Day, Month, build_month, free_days, part_of_day

TODAY = date(2026, 12, 3)


def _month(first_day: date, *, free: dict[date, int] | None = None, last_day: date = date(2027, 1, 20)) -> Month:
    return build_month(
        first_day,
        free=free or {},
        today=TODAY,
        chosen=date(2026, 12, 5),
        last_day=last_day,
        day_href=lambda on: f"?date={on}",
        month_href=lambda on: f"?month={on:%Y-%m}",
        locale=Locale.parse("en_GB"),
    )


def _days(month: Month) -> list[Day]:
    return [day for week in month.weeks for day in week if day is not None]


def test_a_month_holds_each_of_its_days_once_in_weeks_of_seven() -> None:
    month = _month(date(2026, 12, 1))
    assert [day.on.day for day in _days(month)] == list(range(1, 32))
    assert all(len(week) == 7 for week in month.weeks)


def test_the_week_starts_where_the_locale_says() -> None:
    assert _month(date(2026, 12, 1)).weekdays[0] == ("Monday", "Mo")


def test_only_days_with_free_times_lead_somewhere() -> None:
    month = _month(date(2026, 12, 1), free={date(2026, 12, 5): 4})
    assert {day.on: day.href for day in _days(month) if day.href} == {date(2026, 12, 5): "?date=2026-12-05"}
    assert [day.on.day for day in _days(month) if day.is_chosen] == [5]


def test_there_is_no_way_back_before_the_present_month() -> None:
    assert _month(date(2026, 12, 1)).previous_href == ""
    assert _month(date(2027, 1, 1)).previous_href == "?month=2026-12"


def test_there_is_no_way_on_beyond_the_last_day_to_book() -> None:
    assert _month(date(2026, 12, 1)).next_href == "?month=2027-01"
    assert _month(date(2027, 1, 1)).next_href == ""


def test_times_are_counted_on_the_dates_of_the_zone() -> None:
    late = datetime(2026, 12, 3, 23, 30, tzinfo=UTC)
    assert free_days([late, late], zone="Europe/Oslo") == {date(2026, 12, 4): 2}
    assert free_days([late], zone="America/New_York") == {date(2026, 12, 3): 1}


def test_the_part_of_the_day_is_that_of_the_zone() -> None:
    instant = datetime(2026, 12, 3, 11, 30, tzinfo=UTC)
    assert part_of_day(instant, zone="UTC") == 0
    assert part_of_day(instant, zone="Europe/Oslo") == 1
    assert part_of_day(instant, zone="Asia/Tokyo") == 2
