from datetime import date, time

import pytest

from fairground.contracts.booking import AvailabilityRules, DatedException, WeeklyHours
from fairground.web.forms import Form, FormRefused
from fairground.web.pages.dashboard_hours import exception_rows_of, form_of, rows_of, rules_from
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


def test_rules_are_the_same_after_the_form_and_back() -> None:
    assert rules_from(form_of(RULES), timezone=RULES.timezone) == RULES


def test_empty_form_has_no_hours() -> None:
    assert rules_from(Form(), timezone="UTC") == AvailabilityRules(timezone="UTC", weekly=[])


def test_form_has_rows_for_all_rules_and_some_more() -> None:
    form = form_of(RULES)
    assert [len(rows_of(form, weekday=weekday)) for weekday in range(7)] == [2, 3, 2, 2, 2, 2, 2]
    assert len(exception_rows_of(form)) == 6


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"start_0_0": "09:00"}, "start_0_0"),
        ({"start_0_0": "nine", "end_0_0": "10:00"}, "start_0_0"),
        ({"date_0": "Christmas"}, "date_0"),
        ({"date_0": "2026-12-24", "kind_0": "open_between"}, "from_0"),
        ({"date_0": "2026-12-24", "kind_0": "closed_between", "from_0": "10:00"}, "from_0"),
    ],
)
def test_a_row_that_is_half_filled_in_is_named(values: dict[str, str], field: str) -> None:
    with pytest.raises(FormRefused) as refused:
        rules_from(Form(values=values), timezone="UTC")
    assert field in refused.value.errors


def test_a_form_cannot_ask_for_endless_rows() -> None:
    assert len(rows_of(Form(values={"start_0_999999999": "09:00"}), weekday=0)) <= 400


def test_zones_are_places() -> None:
    values = [value for value, _ in zone_options()]
    assert {"UTC", "Europe/Oslo", "America/New_York"} <= set(values)
    assert not any(value.startswith("Etc/") for value in values)
