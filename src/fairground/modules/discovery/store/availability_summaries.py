"""Availability summaries of providers, a weekly pattern with exceptional days, and the conditions that read them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Date, Integer, Text, bindparam, case, cast, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from fairground.modules.discovery.domain.availability_summary import (
    ANY_START,
    CLOSED,
    OWN_NOTICE,
    TOO_FAR,
    TOO_SOON,
    open_days,
)
from fairground.modules.discovery.tables import DayRow, ListEntryRow, WeekRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among, looked_up

_DAY_MINUTES: Final = 24 * 60
_DAY: Final = bindparam("day", type_=Date())
_NEVER_OPEN: Final = {"version": 0, "timezone": "UTC", "last_starts": CLOSED * 7, "min_notice_hours": None}
_SUMMARY: Final = ("timezone", "last_starts", "min_notice_hours")


async def lock_summaries(tx: WriteTx, provider_ids: Collection[UUID]) -> dict[UUID, int]:
    """Serialise the writers of these providers' rows until this transaction ends; return their open days as bits."""
    # In one order, so that two writers of the same providers wait for each other in one direction only.
    ordered = sorted(provider_ids)
    await tx.insert_many(WeekRow, [{"provider_id": provider_id, **_NEVER_OPEN} for provider_id in ordered])
    weeks = await tx.all(_weeks_lock(tx.ops), {"ids": ordered})
    days: dict[UUID, dict[date, str]] = defaultdict(dict)
    for row in await tx.all(_days_of(tx.ops), {"ids": ordered}):
        days[row.provider_id][row.day] = row.last_start
    return {
        row.provider_id: open_days(
            row.last_starts, days[row.provider_id], has_own_notice=row.min_notice_hours is not None
        )
        for row in weeks
    }


@lru_cache(maxsize=2)  # one for each dialect
def _weeks_lock(ops: SQLOps) -> Prepared:
    columns = (WeekRow.version, WeekRow.provider_id, *(WeekRow.__table__.c[name] for name in _SUMMARY))
    mine = among(WeekRow.provider_id, bindparam("ids"))
    return Prepared(ops.lock_rows(select(*columns).where(mine).order_by(WeekRow.provider_id)))


@lru_cache(maxsize=2)
def _days_of(_ops: SQLOps) -> Prepared:
    days = select(DayRow.provider_id, DayRow.day, DayRow.last_start)
    return Prepared(days.where(among(DayRow.provider_id, bindparam("ids"))))


async def replace_summary(
    tx: WriteTx,
    provider_id: UUID,
    *,
    version: int,
    timezone: str,
    week: Sequence[str],
    days: Mapping[date, str],
    min_notice_hours: int | None = None,
) -> AbstractSet[date] | None:
    """Replace a summary, unless a newer one is there. Times are as `WeekRow.last_starts` has them.

    Returns:
        The dates whose last start changed; None when the weekly pattern or the notice did, and so any date.
    """
    changes = {"timezone": timezone, "last_starts": "".join(week), "min_notice_hours": min_notice_hours}
    await tx.insert_ignore(WeekRow, [{"provider_id": provider_id, **_NEVER_OPEN}])
    (before,) = await tx.all(_weeks_lock(tx.ops), {"ids": [provider_id]})
    if not await tx.execute(_newer_week(tx.ops), {"provider": provider_id, "new_version": version, **changes}):
        return frozenset()
    known = {row.day: row.last_start for row in await tx.all(_days_of(tx.ops), {"ids": [provider_id]})}
    if known:
        await tx.execute(delete(DayRow).where(DayRow.provider_id == provider_id))
    rows = [{"provider_id": provider_id, "day": day, "last_start": last} for day, last in days.items()]
    await tx.insert_many(DayRow, rows)
    if before.version == 0 or any(getattr(before, name) != changes[name] for name in _SUMMARY):
        return None
    return {day for day, _ in known.items() ^ days.items()}


@lru_cache(maxsize=2)
def _newer_week(_ops: SQLOps) -> Prepared:
    new = bindparam("new_version", type_=BigInteger())
    changes = {"version": new, **{name: bindparam(name) for name in _SUMMARY}}
    older = WeekRow.provider_id == bindparam("provider"), WeekRow.version < new
    return Prepared(update(WeekRow).where(*older).values(changes))


def can_be_open(open_days: Any) -> ColumnElement[bool]:
    """Return whether these bits of `open_days` allow any start on the date of the filter."""
    is_open: ColumnElement[bool] = open_days.bitwise_and(bindparam("any_bit", type_=BigInteger())) != 0
    return is_open


def has_start() -> ColumnElement[bool]:
    """Return whether the date of the filter has any start; the bits of the entry replace the weekly pattern."""
    mine = (DayRow.provider_id == ListEntryRow.provider_id, DayRow.day == _DAY)
    of_that_day = select(DayRow.last_start).where(*mine).scalar_subquery()
    is_usually_open = ListEntryRow.open_days.bitwise_and(bindparam("weekday_bit", type_=BigInteger())) != 0
    return func.coalesce(of_that_day, case((is_usually_open, ANY_START), else_=CLOSED)) >= ANY_START


def has_own_notice(open_days: Any) -> ColumnElement[bool]:
    """Return whether these bits of `open_days` are those of a provider with a notice of their own."""
    is_set: ColumnElement[bool] = open_days.bitwise_and(OWN_NOTICE) != 0
    return is_set


def has_start_from(earliest: ColumnElement[str], *, provider_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return whether the last start of the date is late enough, by its exceptional day or else by the weekly pattern.

    Args:
        earliest: As `first_start` has it. Of a provider with a notice of their own it counts only where it is TOO_FAR.
        provider_id: Of another query.
    """
    of_week = func.substr(WeekRow.last_starts, bindparam("place_in_week", type_=Integer()), len(ANY_START))
    last_start = func.coalesce(DayRow.last_start, of_week)
    has_own = WeekRow.min_notice_hours.is_not(None)
    in_time = case(
        (has_own & (earliest != TOO_FAR) & (last_start >= _own_first_start()), 1),
        (has_own, 0),
        (last_start >= earliest, 1),
        else_=0,
    )
    is_that_day = (DayRow.provider_id == WeekRow.provider_id) & (DayRow.day == _DAY)
    # Correlated sub-query: a join would scan all weeks and lose the index order. "More than 0", because PostgreSQL
    # estimates "= 1" of an unknown value as so rare that it would read all weeks.
    return (
        select(in_time)
        .select_from(WeekRow)
        .join(DayRow, is_that_day, isouter=True)
        .where(WeekRow.provider_id == provider_id)
        .scalar_subquery()
    ) > 0


def _own_first_start() -> ColumnElement[str]:
    """Return the first start of the date that is in time by the provider's own notice, as `1730`."""
    midnight = cast(looked_up("midnights", WeekRow.timezone), Integer())
    minutes = bindparam("now_minutes", type_=Integer()) - midnight + cast(WeekRow.min_notice_hours, Integer()) * 60
    clock = func.substr(cast(10_000 + minutes // 60 * 100 + minutes % 60, Text()), 2, len(ANY_START))
    return case((minutes <= 0, ANY_START), (minutes >= _DAY_MINUTES, TOO_SOON), else_=clock)


def first_start(number: int) -> ColumnElement[str]:
    """Return the first start that is in time where the provider of a week is.

    Args:
        number: Of a list of the provider's vertical, among the scopes of the filter.
    """
    usual = bindparam(f"usual_start{number}", type_=Text())
    return func.coalesce(looked_up(f"first_starts{number}", WeekRow.timezone), usual)
