"""Where providers say they are, in folded words: each location is learnt once, whoever is there."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, select

from fairground.modules.catalog.domain.words import phrases
from fairground.modules.catalog.tables import LocationPhraseRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.types import after_prefix, among


async def learn_locations(tx: WriteTx, folded_locations: Collection[str]) -> None:
    """Make folded locations findable by the beginning of every word in them."""
    phrase, location = LocationPhraseRow.phrase, LocationPhraseRow.folded_location
    wanted = set(folded_locations)
    known = await tx.scalars(select(location).where(among(phrase, wanted), location == phrase))
    # In one order, so that two imports that learn the same ones wait for each other in one direction only.
    await tx.insert_many(LocationPhraseRow, sorted(phrase_rows(wanted - set(known)), key=lambda row: [*row.values()]))


def phrase_rows(folded_locations: Collection[str]) -> list[dict[str, str]]:
    return [
        {"phrase": phrase, "folded_location": location} for location in folded_locations for phrase in phrases(location)
    ]


def is_at(folded_location: Any, prefix: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether a location, or a word in it, begins with the folded prefix."""
    phrase = LocationPhraseRow.phrase
    found = select(LocationPhraseRow.folded_location).where(phrase >= prefix, phrase < after_prefix(prefix))
    is_found: ColumnElement[bool] = folded_location.in_(found)
    return is_found
