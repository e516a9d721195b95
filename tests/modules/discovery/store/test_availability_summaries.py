"""The dates whose lists change with an availability summary."""

from datetime import date

from fairground.kernel.ids import uuid7
from fairground.modules.discovery.domain.availability_summary import OWN_NOTICE
from fairground.modules.discovery.store.availability_summaries import lock_summaries, replace_summary
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


async def test_all_dates_change_with_the_notice(db: Database) -> None:
    provider = uuid7()
    for version, hours, is_changed in ((1, None, True), (2, 48, True), (3, 48, False), (4, 0, True), (5, None, True)):
        async with db.write() as tx:
            changed = await replace_summary(
                tx,
                provider,
                version=version,
                timezone="Europe/Oslo",
                week=USUAL,
                days={},
                min_notice_hours=hours,
            )
            assert (changed is None) is is_changed
            bits = await lock_summaries(tx, [provider])
            assert bool(bits[provider] & OWN_NOTICE) is (hours is not None)
