"""Slugs: the unique index of the database decides who has one; this finds which are free."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from fairground.modules.providers.domain.slugs import slug_candidates
from fairground.modules.providers.tables import ProviderRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import among

_RANGES_A_STATEMENT: Final = 50  # SQLite refuses an expression that is nested too deep


async def choose_slugs(tx: ReadTx, bases: Sequence[str]) -> list[str]:
    """Return a free slug for each base, all of them different; another transaction may still be faster."""
    taken = set(await tx.scalars(select(ProviderRow.slug).where(among(ProviderRow.slug, set(bases)))))
    crowded = taken | {base for base, times in Counter(bases).items() if times > 1}
    taken |= await _find_numbered(tx, sorted(crowded))
    candidates = {base: slug_candidates(base) for base in set(bases)}
    chosen = []
    for base in bases:
        slug = next(candidate for candidate in candidates[base] if candidate not in taken)
        taken.add(slug)
        chosen.append(slug)
    return chosen


async def _find_numbered(tx: ReadTx, bases: Sequence[str]) -> set[str]:
    """Return the slugs that continue one of the bases with a hyphen and a digit."""
    found: set[str] = set()
    for start in range(0, len(bases), _RANGES_A_STATEMENT):
        ranges = [_numbered(base) for base in bases[start : start + _RANGES_A_STATEMENT]]
        found.update(await tx.scalars(select(ProviderRow.slug).where(or_(*ranges))))
    return found


def _numbered(base: str) -> ColumnElement[bool]:
    # The colon follows the digit 9, as code points go.
    return and_(ProviderRow.slug >= f"{base}-0", ProviderRow.slug < f"{base}-:")
