from datetime import date, time

import pytest

from fairground.contracts.booking import AvailabilityRules, DatedException, WeeklyHours
from fairground.web.forms import Form, FormRefused
from fairground.web.hours_form import copied, ends_next_day, exception_rows_of, form_of, read_rules, rows_of
from fairground.web.pages.dashboard_profile import zone_options

RULES = AvailabilityRules(
    timezone="Europe/Oslo",
    weekly=[
        WeeklyHours(weekday=1, start=time(9), end=time(12)),
        WeeklyHours(weekday=1, start=time(14), end=time(18)),
        WeeklyHours(weekday=1, start=time(19), end=time(20)),
        WeeklyHours(weekday=4, start=time(18), end=time(0)),
    ],
    exceptions=[
        DatedException(date=date(2026, 12, 24), available=False),
        DatedException(date=date(2026, 12, 30), available=False, start=time(9), end=time(10)),
        DatedException(date=date(2027, 1, 2), available=True, start=time(10), end=time(16)),
    ],
)


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def test_rules_are_the_same_after_the_form_and_back() -> None:
    read = read_rules(form_of(RULES), day_names=DAYS)
    assert (read.weekly, read.exceptions) == (RULES.weekly, RULES.exceptions)
    assert read.fields["weekly.3"] == "start_4_0"
    assert read.fields["exceptions.1"] == "date_1"


def test_special_dates_that_have_passed_stay_although_the_form_has_none_of_them() -> None:
    past = DatedException(date=date(2020, 1, 1), available=False)
    changes = read_rules(form_of(RULES), day_names=DAYS).changes(past=[past])
    assert changes.exceptions == [*RULES.exceptions, past]
    assert changes.model_fields_set == {"weekly", "exceptions"}, "Time off, notice and pause have other forms."


def test_empty_form_has_no_hours() -> None:
    read = read_rules(Form(), day_names=DAYS)
    assert (read.weekly, read.exceptions) == ([], [])


@pytest.mark.parametrize(("to", "days"), [("all", range(7)), ("weekdays", range(5))])
def test_hours_of_a_day_are_copied_to_others(to: str, days: range) -> None:
    weekly = read_rules(copied(form_of(RULES), weekday=1, to=to), day_names=DAYS).weekly
    by_day = {day: [(each.start, each.end) for each in weekly if each.weekday == day] for day in range(7)}
    assert all(by_day[day] == by_day[1] and len(by_day[day]) == 3 for day in days)
    assert to == "all" or by_day[5] == []
    closed = read_rules(copied(form_of(RULES), weekday=0, to=to), day_names=DAYS).weekly
    assert closed == [], "A day without hours is copied as one."


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("18:00", "02:00", "next day"), ("09:00", "09:00", "next day"), ("09:00", "17:00", ""), ("18:00", "00:00", "")],
)
def test_a_range_that_ends_on_the_next_day_says_so(start: str, end: str, expected: str) -> None:
    form = Form(values={"a": start, "b": end})
    assert ends_next_day(form, start="a", end="b") is bool(expected)


def test_form_has_rows_for_all_rules_and_some_more() -> None:
    form = form_of(RULES)
    assert [len(rows_of(form, weekday=weekday)) for weekday in range(7)] == [2, 3, 2, 2, 2, 2, 2]
    assert len(exception_rows_of(form)) == 6


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"start_0_0": "09:00"}, "end_0_0"),
        ({"from_0": "09:00", "to_0": "10:00"}, "date_0"),
        ({"start_0_0": "nine", "end_0_0": "10:00"}, "start_0_0"),
        ({"date_0": "Christmas"}, "date_0"),
        ({"date_0": "2026-12-24", "kind_0": "open_between"}, "from_0"),
        ({"date_0": "2026-12-24", "kind_0": "closed_between", "from_0": "10:00"}, "to_0"),
    ],
)
def test_a_row_that_is_half_filled_in_is_named(values: dict[str, str], field: str) -> None:
    with pytest.raises(FormRefused) as refused:
        read_rules(Form(values=values), day_names=DAYS)
    assert field in refused.value.errors


def test_a_form_cannot_ask_for_endless_rows() -> None:
    assert len(rows_of(Form(values={"start_0_999999999": "09:00"}), weekday=0)) <= 400


def test_zones_are_places_by_region_and_none_has_two_names() -> None:
    regions = dict(zone_options())
    values = [value for options in regions.values() for value, _ in options]
    assert {"UTC", "Europe/Oslo", "America/New_York"} <= set(values)
    assert not any(value.startswith("Etc/") for value in values)
    assert "Africa/Asmara" in values
    assert "Africa/Asmera" not in values
    assert ("America/Indiana/Indianapolis", "Indianapolis, Indiana") in regions["America"]
    assert list(regions)[-1] == "Other"
    assert ("Africa/Asmera", "Asmera") in dict(zone_options("Africa/Asmera"))["Africa"], "What is set stays."
