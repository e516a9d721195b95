"""Weekly hours and dated exceptions as one plain form: rows of fields in, rules out, and back."""

from collections.abc import Mapping
from datetime import date, time
from gettext import gettext as _
from typing import Final

from fairground.contracts.booking import AvailabilityRules, DatedException, WeeklyHours
from fairground.kernel.zones import find_zone, selectable_zone_names
from fairground.web.forms import Form, FormRefused

WEEKDAYS: Final = range(7)
RANGES_SHOWN: Final = 2
"""Ranges a day has fields for at least: before and after a break."""
EXCEPTIONS_SPARE: Final = 3
ROWS_MAX: Final = 400

CLOSED, CLOSED_BETWEEN, OPEN_BETWEEN = "closed", "closed_between", "open_between"


def form_of(rules: AvailabilityRules) -> Form:
    """Return the form that shows the rules."""
    values: dict[str, str] = {}
    for weekday in WEEKDAYS:
        for row, hours in enumerate(each for each in rules.weekly if each.weekday == weekday):
            values |= {f"start_{weekday}_{row}": f"{hours.start:%H:%M}", f"end_{weekday}_{row}": f"{hours.end:%H:%M}"}
    for row, exception in enumerate(sorted(rules.exceptions, key=lambda each: each.date)):
        values |= {f"date_{row}": exception.date.isoformat(), f"kind_{row}": _kind(exception)}
        values |= {f"from_{row}": f"{exception.start:%H:%M}"} if exception.start else {}
        values |= {f"to_{row}": f"{exception.end:%H:%M}"} if exception.end else {}
    return Form(values=values)


def rows_of(form: Form, *, weekday: int) -> range:
    """Return the rows to show for a weekday: those that are filled in, and room for one more."""
    filled = _filled_rows(form.values, prefix=f"start_{weekday}_")
    return range(max(RANGES_SHOWN, filled))


def exception_rows_of(form: Form) -> range:
    return range(_filled_rows(form.values, prefix="date_") + EXCEPTIONS_SPARE)


def rules_from(form: Form, *, timezone: str) -> AvailabilityRules:
    """Return the rules that the form asks for, in the provider's zone; rows left empty are left out.

    Raises:
        FormRefused: A row is half filled in, or is no time or date.
    """
    errors: dict[str, str] = {}
    weekly = [
        WeeklyHours(weekday=weekday, start=span[0], end=span[1])
        for weekday in WEEKDAYS
        for row in rows_of(form, weekday=weekday)
        if (span := _span(form, start=f"start_{weekday}_{row}", end=f"end_{weekday}_{row}", errors=errors))
    ]
    exceptions = [
        exception for row in exception_rows_of(form) if (exception := _exception(form, row=row, errors=errors))
    ]
    if errors:
        raise FormRefused(errors)
    return AvailabilityRules(timezone=timezone, weekly=weekly, exceptions=exceptions)


def _exception(form: Form, *, row: int, errors: dict[str, str]) -> DatedException | None:
    written = form.values.get(f"date_{row}", "").strip()
    if not written:
        return None
    try:
        on = date.fromisoformat(written)
    except ValueError:
        errors[f"date_{row}"] = _("Write a date such as 2026-12-24.")
        return None
    kind = form.values.get(f"kind_{row}", CLOSED)
    if kind == CLOSED:
        return DatedException(date=on, available=False)
    span = _span(form, start=f"from_{row}", end=f"to_{row}", errors=errors)
    if span is None:
        errors.setdefault(f"from_{row}", _("Say from when to when."))
        return None
    return DatedException(date=on, available=kind == OPEN_BETWEEN, start=span[0], end=span[1])


def _span(form: Form, *, start: str, end: str, errors: dict[str, str]) -> tuple[time, time] | None:
    written = {name: form.values.get(name, "").strip() for name in (start, end)}
    if not any(written.values()):
        return None
    try:
        return time.fromisoformat(written[start]), time.fromisoformat(written[end])
    except ValueError:
        errors[start] = _("Write both times, such as 18:30.")
        return None


def _kind(exception: DatedException) -> str:
    if exception.available:
        return OPEN_BETWEEN
    return CLOSED_BETWEEN if exception.start else CLOSED


def _filled_rows(values: Mapping[str, str], *, prefix: str) -> int:
    """Return one more than the highest row that something was written into."""
    rows = (name.removeprefix(prefix) for name, value in values.items() if name.startswith(prefix) and value.strip())
    return min(max((int(row) + 1 for row in rows if row.isascii() and row.isdigit()), default=0), ROWS_MAX)


def zone_options(chosen: str = "") -> list[tuple[str, str]]:
    """Return the zones a form offers, each with its words.

    Args:
        chosen: The zone that is set now. It is offered even if it is an alias, so that saving the form keeps it.
    """
    names = selectable_zone_names()
    if chosen not in names and find_zone(chosen):
        names = (chosen, *names)
    return [(zone, zone.replace("_", " ").replace("/", " / ")) for zone in names]
