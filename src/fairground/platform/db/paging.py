"""Conditions of pages that are listed by an instant and an id, the newest first."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_

from fairground.kernel.inputs import TimeCursor


def is_behind(at_column: Any, id_column: Any, cursor: TimeCursor) -> ColumnElement[bool]:
    """Return the condition of the rows that follow the last row of a page, the newest first."""
    at, last_id = literal(cursor.at, at_column.type), literal(cursor.id, id_column.type)
    return tuple_(at_column, id_column) < tuple_(at, last_id)


def is_within(
    at_column: Any, id_column: Any, *, from_at: datetime | None, before_at: datetime | None, after: TimeCursor | None
) -> list[ColumnElement[bool]]:
    """Return the conditions of the rows in a time, behind a cursor; each bound is optional."""
    conditions: list[ColumnElement[bool]] = []
    if from_at is not None:
        conditions.append(at_column >= from_at)
    if before_at is not None:
        conditions.append(at_column < before_at)
    if after is not None:
        conditions.append(is_behind(at_column, id_column, after))
    return conditions
