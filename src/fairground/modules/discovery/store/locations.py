"""Folded locations; each is stored once for all its providers."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, select

from fairground.kernel.folding import endings
from fairground.modules.discovery.tables import LocationPhraseRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.types import after_prefix, among


async def learn_locations(tx: WriteTx, folded_locations: Collection[str]) -> None:
    """Make folded locations findable by any part of them."""
    phrase, location = LocationPhraseRow.phrase, LocationPhraseRow.folded_location
    new = set(folded_locations)
    whole = {folded.replace(" ", "") for folded in new}
    known = await tx.scalars(select(location).where(among(phrase, whole), among(location, new)))
    # In one order, so that two imports that learn the same ones wait for each other in one direction only.
    await tx.insert_many(LocationPhraseRow, sorted(phrase_rows(new - set(known)), key=lambda row: [*row.values()]))


def phrase_rows(folded_locations: Collection[str]) -> list[dict[str, str]]:
    return [
        {"phrase": ending, "folded_location": location} for location in folded_locations for ending in endings(location)
    ]


def is_at(folded_location: Any, part: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether a location holds a part of a place; both without spaces, as `squeezed` writes them."""
    phrase = LocationPhraseRow.phrase
    # A location holds a text if one of its endings begins with it: a range of the primary key, on both databases.
    found = select(LocationPhraseRow.folded_location).where(phrase >= part, phrase < after_prefix(part))
    is_found: ColumnElement[bool] = folded_location.in_(found)
    return is_found
