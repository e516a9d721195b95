"""The dates whose lists change with an availability summary."""

from datetime import date

from fairground.kernel.ids import uuid7
from fairground.modules.discovery.store.availability_summaries import replace_summary
from fairground.platform.db.database import Database

USUAL = ["1700"] * 7
DAY, OTHER = date(2026, 12, 3), date(2026, 12, 4)


async def test_all_dates_change_with_the_weekly_pattern_and_single_dates_with_their_day(db: Database) -> None:
    provider = uuid7()
    summaries: list[tuple[int, list[str], dict[date, str], set[date] | None]] = [
        (1, USUAL, {}, None),  # the first summary changes every date
        (2, USUAL, {}, set()),
        (3, USUAL, {DAY: "1200"}, {DAY}),
        (4, USUAL, {DAY: "1100", OTHER: "1300"}, {DAY, OTHER}),
        (4, USUAL, {}, set()),  # an old version
        (5, ["1800"] * 7, {DAY: "1100", OTHER: "1300"}, None),
    ]
    for version, week, days, changed in summaries:
        async with db.write() as tx:
            assert changed == await replace_summary(
                tx, provider, version=version, timezone="Europe/Oslo", week=week, days=days
            )
