"""The form of weekly hours and special dates: its rows of fields become rules, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from gettext import gettext as _
from typing import Final

from fairground.contracts.booking import AvailabilityRules, DatedException, RulesChanges, WeeklyHours
from fairground.web.forms import Form, FormRefused

WEEKDAYS: Final = range(7)
WORKDAYS: Final = range(5)
RANGES_SHOWN: Final = 2
"""The least number of time ranges that a day has fields for: before and after a break."""
EXCEPTIONS_SPARE: Final = 3
ROWS_MAX: Final = 400

CLOSED, CLOSED_BETWEEN, OPEN_BETWEEN = "closed", "closed_between", "open_between"
COPY_TO_WEEKDAYS: Final = "weekdays"


@dataclass
class ReadRules:
    """The rules in a form, and the field in which each of them begins, by the name that the domain has for it."""

    weekly: list[WeeklyHours] = field(default_factory=list)
    exceptions: list[DatedException] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def changes(self, *, past: Sequence[DatedException]) -> RulesChanges:
        """Return the changes. Special dates that have passed are not in the form, and stay."""
        return RulesChanges(weekly=self.weekly, exceptions=[*self.exceptions, *past])


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
    if rules.min_notice_hours is not None:
        values["min_notice_hours"] = str(rules.min_notice_hours)
    return Form(values=values)


def rows_of(form: Form, *, weekday: int) -> range:
    """Return the rows to show for a weekday: those that are filled in, and room for a break."""
    count = _count_rows(form.values, prefix=f"start_{weekday}_")
    return range(max(RANGES_SHOWN, count))


def exception_rows_of(form: Form) -> range:
    return range(_count_rows(form.values, prefix="date_") + EXCEPTIONS_SPARE)


def ends_next_day(form: Form, *, start: str, end: str) -> bool:
    """Return whether the time range in two fields ends on the next day."""
    since, until = form.values.get(start, "").strip(), form.values.get(end, "").strip()
    return bool(since and until) and until <= since and until != "00:00"


def copied(form: Form, *, weekday: int, to: str) -> Form:
    """Return the form with the hours of one weekday on all days, or on Monday to Friday."""
    source = {
        name: value
        for name, value in form.values.items()
        if name.startswith((f"start_{weekday}_", f"end_{weekday}_")) and value.strip()
    }
    values = dict(form.values)
    for target in WORKDAYS if to == COPY_TO_WEEKDAYS else WEEKDAYS:
        own = (f"start_{target}_", f"end_{target}_")
        values = {name: value for name, value in values.items() if not name.startswith(own)}
        values |= {_moved(name, target): value for name, value in source.items()}
    return replace(form, values=values | source)


def _moved(name: str, weekday: int) -> str:
    edge, _weekday, row = name.split("_")
    return f"{edge}_{weekday}_{row}"


def read_rules(form: Form, *, day_names: Sequence[str]) -> ReadRules:
    """Return the rules in the form. Empty rows are ignored.

    Raises:
        FormRefused: A row is half filled in, or is no time or date.
    """
    read = ReadRules()
    for weekday in WEEKDAYS:
        for row in rows_of(form, weekday=weekday):
            start, end = f"start_{weekday}_{row}", f"end_{weekday}_{row}"
            if span := _span(form, start=start, end=end, day=day_names[weekday], read=read):
                read.fields[f"weekly.{len(read.weekly)}"] = start
                read.weekly.append(WeeklyHours(weekday=weekday, start=span[0], end=span[1]))
    for row in exception_rows_of(form):
        if exception := _exception(form, row=row, read=read):
            read.fields[f"exceptions.{len(read.exceptions)}"] = f"date_{row}"
            read.exceptions.append(exception)
    if read.errors:
        raise FormRefused(read.errors)
    return read


def _exception(form: Form, *, row: int, read: ReadRules) -> DatedException | None:
    written = form.values.get(f"date_{row}", "").strip()
    if not written:
        if form.values.get(f"from_{row}", "").strip() or form.values.get(f"to_{row}", "").strip():
            read.errors[f"date_{row}"] = _("Choose a date.")
        return None
    try:
        on = date.fromisoformat(written)
    except ValueError:
        read.errors[f"date_{row}"] = _("Enter a date such as 2026-12-24.")
        return None
    kind = form.values.get(f"kind_{row}", CLOSED)
    if kind == CLOSED:
        return DatedException(date=on, available=False)
    span = _span(form, start=f"from_{row}", end=f"to_{row}", day=written, read=read)
    if span is None:
        read.errors.setdefault(f"from_{row}", _("Enter the start and the end for {day}.").format(day=written))
        return None
    return DatedException(date=on, available=kind == OPEN_BETWEEN, start=span[0], end=span[1])


def _span(form: Form, *, start: str, end: str, day: str, read: ReadRules) -> tuple[time, time] | None:
    written = {name: form.values.get(name, "").strip() for name in (start, end)}
    if not any(written.values()):
        return None
    times = {}
    for name, value in written.items():
        try:
            times[name] = time.fromisoformat(value)
        except ValueError:
            which = _("Enter a start time for {day}, such as 18:30.")
            read.errors[name] = (which if name == start else _("Enter an end time for {day}, such as 18:30.")).format(
                day=day
            )
    return (times[start], times[end]) if len(times) == len(written) else None


def _kind(exception: DatedException) -> str:
    if exception.available:
        return OPEN_BETWEEN
    return CLOSED_BETWEEN if exception.start else CLOSED


def _count_rows(values: Mapping[str, str], *, prefix: str) -> int:
    """Return one more than the number of the last row that is filled in."""
    rows = (name.removeprefix(prefix) for name, value in values.items() if name.startswith(prefix) and value.strip())
    return min(max((int(row) + 1 for row in rows if row.isascii() and row.isdigit()), default=0), ROWS_MAX)
