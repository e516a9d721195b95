"""Rows found by beginnings of their words, from a table of words and the ids that have them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, literal, select

from fairground.platform.db.types import after_prefix


def select_ids(
    word: Any, owner_id: Any, beginnings: Sequence[str], *, id_column: Any, filters: Sequence[Any], before: UUID | None
) -> Select[Any]:
    """Select the ids alone, newest first: many rows have a short beginning, and they need not be sorted.

    Args:
        word: The column of the folded words.
        owner_id: The column beside it: the id that has the word.
        beginnings: The first one narrows the index and is best the longest; the others must be found as well.
        id_column: The id of the table that the filters are about.
        before: Only ids less than this one.
    """
    first, *others = beginnings
    # Distinct as a table of its own, so that neither database begins with the owners, newest first, and reads them all.
    found = select(owner_id.label("id")).where(*_begins_with(word, first)).distinct().subquery("found")
    ids: Select[Any] = select(found.c.id).order_by(found.c.id.desc())
    if filters:
        ids = ids.join(id_column.class_, id_column == found.c.id).where(*filters)
    if before is not None:
        ids = ids.where(found.c.id < before)
    for other in others:
        of_same_owner = select(1).where(owner_id == found.c.id, *_begins_with(word, other))
        ids = ids.where(exists(of_same_owner.correlate(found)))
    return ids


def _begins_with(word: Any, beginning: str) -> tuple[Any, Any]:
    prefix = literal(beginning, word.type)
    return word >= prefix, word < after_prefix(prefix)
