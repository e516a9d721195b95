"""Invented marketplaces of any size, the same for the same seed, loaded in bulk on either database.

    python -m benchmarks.marketplace 100000 sqlite:////tmp/big.db

fills a database that has tables and no rows. The rows are those that a marketplace of this age would have: cities of
very different sizes, half of all providers never booked, prices over two orders of magnitude, most weeks with days off.
"""

import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, insert, text

from fairground.contracts.providers import BookingMode, ProviderSnapshot, ProviderStatus
from fairground.kernel.folding import fold
from fairground.modules.discovery.domain.availability_summary import CLOSED, open_days
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.store import price_bands
from fairground.modules.discovery.store.listed_providers import (
    entry_rows,
    location_phrase_rows,
    name_phrase_rows,
    row_of,
)
from fairground.modules.discovery.tables import (
    DayRow,
    ListedProviderRow,
    ListEntryRow,
    LocationPhraseRow,
    NamePhraseRow,
    WeekRow,
)
from fairground.modules.discovery.tables import history as discovery_history
from fairground.modules.providers.tables import ProviderCategoryRow, ProviderRow, ServiceRow
from fairground.modules.providers.tables import history as catalog_history
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from fairground.verticals.schema import Vertical

HISTORIES: Final = (catalog_history, discovery_history)
BATCH: Final = 10_000
CITIES: Final = 300
BORN: Final = datetime(2024, 1, 1, tzinfo=UTC)
ZONES: Final = ("Europe/Oslo", "Europe/Lisbon", "America/New_York", "Africa/Johannesburg", "Asia/Tokyo")
WEEKS: Final = (
    "1730173017301730" + "1730" + CLOSED * 2,
    CLOSED * 4 + "213021302130",
    "2000" * 7,
    CLOSED + "1200" * 2 + CLOSED * 3 + "1500",
)
_SYLLABLES: Final = "ber dal fjo gar hal kin lor mar nes ost pel rim sto tun ul vik wes".split()
_FIRST: Final = "Ada Bo Carla Dag Eva Finn Greta Hugo Ida Jon Kari Lars Mia Nils Olga Per Rut Siv Tor Una".split()

Row = dict[str, Any]


@dataclass(frozen=True)
class City:
    name: str
    lat: float
    lng: float
    zone: str

    @property
    def location(self) -> str:
        return f"{self.name}, Fairland"


@dataclass(frozen=True)
class Marketplace:
    """What was built, so that a benchmark knows what to request."""

    providers: int
    cities: tuple[City, ...]
    """The largest first."""
    free_from: date
    """The first of thirty days on which some are booked out."""
    seconds: float


class _Inventor:
    """Invents providers. Everything follows from the seed and the day."""

    def __init__(self, *, seed: int, verticals: Verticals, today: date) -> None:
        self._chance = random.Random(seed)
        self._packs = list(verticals)
        self._today = today
        self.cities = tuple(self._city(number) for number in range(CITIES))
        # The largest city has one in fourteen, the smallest one in two thousand.
        self._weights = [1 / (rank + 10) for rank in range(CITIES)]

    def _city(self, number: int) -> City:
        chance = self._chance
        name = "".join(chance.choices(_SYLLABLES, k=2)).capitalize()
        lat, lng = chance.uniform(-45, 65), chance.uniform(-175, 175)
        return City(name=f"{name}{number}", lat=lat, lng=lng, zone=chance.choice(ZONES))

    def batches(self, providers: int) -> Iterator[dict[Table, list[Row]]]:
        for start in range(0, providers, BATCH):
            rows: dict[Table, list[Row]] = defaultdict(list)
            for number in range(start, min(start + BATCH, providers)):
                self._add_provider(rows, number)
            yield rows

    def _add_provider(self, rows: dict[Table, list[Row]], number: int) -> None:
        chance = self._chance
        pack = self._packs[number % len(self._packs)]
        provider_id = UUID(int=(number << 80) | (7 << 76) | (2 << 62) | chance.getrandbits(60))
        [city] = chance.choices(self.cities, self._weights)
        name = f"{chance.choice(_FIRST)} {''.join(chance.choices(_SYLLABLES, k=3)).capitalize()}"
        categories = [pack.categories[int(chance.random() ** 2 * len(pack.categories))].slug]
        if chance.random() < 0.5:
            categories = list(dict.fromkeys([*categories, chance.choice(pack.categories).slug]))
        services = self._services(pack, provider_id, categories)
        price = min((service["price_minor"] for service in services), default=None)
        described = {"id": provider_id, "vertical": pack.key, "slug": f"p-{number}", "business_name": name}
        bits = self._add_hours(rows, provider_id, city)
        provider = {**described, **self._profile(city, number), **_price(price)}
        rows[_table(ProviderRow)].append(provider)
        snapshot = ProviderSnapshot(
            **provider, version=1, updated_at=provider["created_at"], categories=categories, service_names=[]
        )
        rows[_table(ListedProviderRow)].append(row_of(snapshot))
        rows[_table(ListEntryRow)] += entry_rows(snapshot, open_days=bits)
        rows[_table(ServiceRow)] += services
        rows[_table(ProviderCategoryRow)] += [
            {"provider_id": provider_id, "category": slug, "position": place} for place, slug in enumerate(categories)
        ]
        rows[_table(NamePhraseRow)] += name_phrase_rows({provider_id: name})

    def _profile(self, city: City, number: int) -> Row:
        chance = self._chance
        lat, lng = city.lat + chance.gauss(0, 0.06), city.lng + chance.gauss(0, 0.06)
        booked = int(chance.paretovariate(0.8)) - 1 if chance.random() < 0.5 else 0
        rated = min(booked, int(chance.expovariate(0.1)))
        stars = sum(chance.choices((1, 3, 4, 5), (1, 2, 8, 16), k=min(rated, 20)))
        return {
            "owner_id": UUID(int=(number << 64) | chance.getrandbits(62)),
            "status": ProviderStatus.APPROVED.value,
            "custom_subtitle": "Invented for a measurement, and as long as such a line usually is",
            "bio": None,
            "location": city.location,
            "lat": lat,
            "lng": lng,
            "timezone": city.zone,
            "profile_picture_url": f"/media/pictures/{number}.webp",
            "created_at": BORN + timedelta(seconds=61 * number),
            "book_count": min(booked, 5_000),
            "rating_sum": stars,
            "rating_count": min(rated, 20),
            "rating_avg": stars / min(rated, 20) if rated else 0.0,
            "has_hours": True,
            "hours_version": 1,
        }

    def _services(self, pack: Vertical, provider_id: UUID, categories: list[str]) -> list[Row]:
        chance = self._chance
        return [
            {
                "id": UUID(int=chance.getrandbits(128)),
                "provider_id": provider_id,
                "name": "What is usually asked for",
                "category": categories[0],
                "price_minor": max(500, int(chance.lognormvariate(9.5, 0.9))),
                "currency": "EUR",
                "duration_minutes": pack.booking.duration_minutes[0],
                "booking_mode": BookingMode.INSTANT.value,
                "description": None,
            }
            for _ in range(chance.choice((0, 1, 1, 2, 3)) if chance.random() < 0.2 else 1)
        ]

    def _add_hours(self, rows: dict[Table, list[Row]], provider_id: UUID, city: City) -> int:
        chance = self._chance
        if chance.random() < 0.1:
            return 0
        week = chance.choice(WEEKS)
        hours = {"provider_id": provider_id, "version": 1, "timezone": city.zone, "last_starts": week}
        rows[_table(WeekRow)].append(hours)
        for offset in chance.sample(range(30), k=chance.choice((0, 1, 2, 6))):
            day = {"provider_id": provider_id, "day": self._today + timedelta(days=offset), "last_start": CLOSED}
            rows[_table(DayRow)].append(day)
        return open_days(week, {})


def _table(row_class: Any) -> Table:
    table: Table = row_class.__table__
    return table


def _price(lowest_minor: int | None) -> Mapping[str, Any]:
    return {"price_from_minor": lowest_minor, "currency": None if lowest_minor is None else "EUR"}


async def build(db: Database, *, providers: int, seed: int = 1) -> Marketplace:
    """Fill the empty tables of providers and discovery; then bring the statistics up to date."""
    started = time.perf_counter()
    verticals = load_verticals()
    today = datetime.now(UTC).date()
    inventor = _Inventor(seed=seed, verticals=verticals, today=today)
    engine = db.backend.migration_engine()
    indexes = [index for history in HISTORIES for table in history.metadata.sorted_tables for index in table.indexes]
    # An index that is created at the end is sorted once, which is many times as fast as adding rows to it.
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    for batch in inventor.batches(providers):
        with engine.begin() as connection:
            for table, rows in batch.items():
                _load(connection, table, rows)
    with engine.begin() as connection:
        locations = {fold(city.location) for city in inventor.cities}
        _load(connection, _table(LocationPhraseRow), location_phrase_rows(locations))
    await _count_prices(db, PriceScale(verticals, currency="EUR"))
    with engine.begin() as connection:
        for index in indexes:
            index.create(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # PostgreSQL also updates its visibility map by it, which index-only scans need.
        connection.execute(text("VACUUM ANALYZE" if _is_postgres(connection) else "ANALYZE"))
    engine.dispose()
    seconds = time.perf_counter() - started
    return Marketplace(providers=providers, cities=inventor.cities, free_from=today, seconds=seconds)


def _load(connection: Connection, table: Table, rows: list[Row]) -> None:
    if not _is_postgres(connection):
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor:
        # Every reference is to a row of this run, so foreign keys need no check.
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(tuple(row.values()))


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


async def _count_prices(db: Database, prices: PriceScale) -> None:
    async with db.write() as tx:
        if tx.ops.name == "postgresql":
            await tx.execute(text("SET LOCAL statement_timeout = 0"))
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await price_bands.recount(tx, scale_minor=prices.fine_minor)


async def _main(providers: int, url: str) -> None:
    from tests.support.outbox import RecordingOutbox  # noqa: PLC0415 - only this entry needs one

    db = Database(url, outbox=RecordingOutbox())
    built = await build(db, providers=providers)
    await db.close()
    print(f"{built.providers} providers in {built.seconds:.1f} s")


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2]))
