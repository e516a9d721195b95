"""Keep every ending of a location instead of those that begin with a word, so that any part of it is found."""

from collections.abc import Iterable, Iterator
from itertools import islice

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_ROWS_A_STATEMENT = 10_000
_PHRASES = sa.table("catalog_location_phrase", sa.column("phrase"), sa.column("folded_location"))


def upgrade() -> None:
    locations = op.get_bind().scalars(sa.select(_PHRASES.c.folded_location).distinct()).all()
    op.execute(sa.delete(_PHRASES))
    rows = _endings_of(locations)
    while some := list(islice(rows, _ROWS_A_STATEMENT)):
        op.bulk_insert(_PHRASES, some)


def _endings_of(locations: Iterable[str]) -> Iterator[dict[str, str]]:
    # The rule of the release that this belongs to: a frozen copy, because the program's own may change.
    for location in locations:
        letters = location.replace(" ", "")
        for ending in {letters[start:] for start in range(len(letters))}:
            yield {"phrase": ending, "folded_location": location}
