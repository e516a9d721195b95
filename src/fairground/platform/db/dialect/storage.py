"""How tables and indexes lie on the disk, in the words of each dialect; for `tables.py` and migrations alike."""

from typing import Any, Final

from sqlalchemy import text

BUSY_TABLE: Final[dict[str, Any]] = {
    # Room on each page keeps an updated row beside its old self, so that no index has to hear of it; and a table that
    # is mostly dead rows is cleaned long before the usual fifth of it has changed.
    "postgresql_with": {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01},
}
"""For a table whose rows change several times within seconds."""

READ_FROM_INDEXES: Final[dict[str, Any]] = {
    # An index alone answers only for pages that were cleaned since they were last written; for others the row is read
    # as well, which takes four times as long.
    "postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_insert_scale_factor": 0.02},
}
"""For a table whose indexes have all that is asked of it."""


def only_where(condition: str) -> dict[str, Any]:
    """Return the arguments that make an index partial: only rows for which the SQL condition holds are in it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
