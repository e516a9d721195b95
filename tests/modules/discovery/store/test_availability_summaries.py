"""Of which dates the lists change when booking tells when a provider is free."""

from datetime import date

from fairground.kernel.ids import uuid7
from fairground.modules.discovery.store.availability_summaries import replace_summary
from fairground.platform.db.database import Database

USUAL = ["1700"] * 7
DAY, OTHER = date(2026, 12, 3), date(2026, 12, 4)


async def test_all_dates_change_with_the_week_and_single_ones_with_their_day(db: Database) -> None:
    provider = uuid7()
    told: list[tuple[int, list[str], dict[date, str], set[date] | None]] = [
        (1, USUAL, {}, None),  # the first time a week is told, it is news on every date
        (2, USUAL, {}, set()),
        (3, USUAL, {DAY: "1200"}, {DAY}),
        (4, USUAL, {DAY: "1100", OTHER: "1300"}, {DAY, OTHER}),
        (4, USUAL, {}, set()),  # told before
        (5, ["1800"] * 7, {DAY: "1100", OTHER: "1300"}, None),
    ]
    for version, week, days, changed in told:
        async with db.write() as tx:
            assert changed == await replace_summary(
                tx, provider, version=version, timezone="Europe/Oslo", week=week, days=days
            )
