"""A small market of many scripts, and questions with the providers that they should find."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from fairground.contracts.booking import BookingCompleted
from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.imports import ImportedProvider
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.ids import uuid7
from tests.support.directory import Directory

_HERE: Final = Path(__file__).parent
TOP: Final = 10


@dataclass(frozen=True)
class Labelled:
    kind: str
    typed: str
    wanted: frozenset[str]

    def recall(self, found: list[str]) -> float:
        return len(self.wanted.intersection(found[:TOP])) / min(len(self.wanted), TOP)


def _cells(file: str) -> list[list[str]]:
    lines = (_HERE / file).read_text().splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if not line.startswith("#")]


QUESTIONS: Final = [Labelled(kind, typed, frozenset(keys.split())) for kind, typed, keys in _cells("queries.txt")]
_MARKET: Final = _cells("market.txt")
KEY_OF_NAME: Final = {name: key for key, _vertical, name, *_ in _MARKET}


async def fill(catalog: Directory) -> None:
    """Make the market, and tell of some of it what was booked and how it was rated."""
    for vertical in ("artists", "chefs", "tutors"):
        rows = [_a_row(cells) for cells in _MARKET if cells[1] == vertical]
        await catalog.import_providers(vertical=vertical, source="labelled", providers=rows)
    listed = await catalog.search_providers(query=ProviderQuery(limit=100))
    ids = {KEY_OF_NAME[card.business_name]: card.id for card in listed.data}
    for place, key in enumerate(sorted(ids)):
        if place % 3 == 0:
            await _tell(catalog, ids[key], book_count=place % 7 + 1, rating_sum=place % 4 + 2)


def _a_row(cells: list[str]) -> ImportedProvider:
    key, _vertical, name, location, categories, service, bio = cells
    return ImportedProvider(
        external_id=key,
        business_name=name,
        location=location,
        timezone="Europe/Oslo",
        categories=[category.strip() for category in categories.split(",")],
        service_name=service,
        price_minor=5_000 + 100 * len(bio),
        bio=bio,
    )


async def _tell(catalog: Directory, provider_id: UUID, *, book_count: int, rating_sum: int) -> None:
    await catalog.record_completion(
        BookingCompleted(
            booking_id=uuid7(), customer_id=uuid7(), provider_id=provider_id, provider_completed_count=book_count
        )
    )
    await catalog.record_rating(ProviderRated(provider_id=provider_id, rating_sum=rating_sum, rating_count=1))
