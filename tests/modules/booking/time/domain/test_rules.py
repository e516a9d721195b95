"""Which opening hours are refused, and what is said about it."""

from datetime import UTC, date, time, timedelta

import pytest

from fairground.contracts.booking import AvailabilityRules, DatedException, RulesInvalid, WeeklyHours
from fairground.modules.booking.time.domain.rules import check_rules

MIDNIGHT = time(0)
NINE, NOON, FIVE = time(9), time(12), time(17)
DAY = date(2026, 5, 4)


def rules(*hours: tuple[int, time, time], exceptions: tuple[DatedException, ...] = ()) -> AvailabilityRules:
    weekly = [WeeklyHours(weekday=weekday, start=start, end=end) for weekday, start, end in hours]
    return AvailabilityRules(timezone="Europe/Oslo", weekly=weekly, exceptions=list(exceptions))


def opened(start: time | None, end: time | None) -> DatedException:
    return DatedException(date=DAY, available=True, start=start, end=end)


def closed(start: time | None = None, end: time | None = None) -> DatedException:
    return DatedException(date=DAY, available=False, start=start, end=end)


@pytest.mark.parametrize(
    "accepted",
    [
        rules(),
        rules((0, NINE, NOON), (0, NOON, FIVE), (1, NINE, MIDNIGHT), (6, MIDNIGHT, MIDNIGHT)),
        rules((0, FIVE, MIDNIGHT), (1, MIDNIGHT, NINE)),
        rules(exceptions=(closed(),)),
        rules(exceptions=(opened(NINE, NOON), opened(NOON, FIVE), closed(NINE, time(10)))),
    ],
)
def test_sound_hours_are_accepted(accepted: AvailabilityRules) -> None:
    check_rules(accepted)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (rules((7, NINE, NOON)), "weekday 7"),
        (rules((-1, NINE, NOON)), "weekday -1"),
        (rules((0, NOON, NINE)), "12:00 to 09:00 on Monday"),
        (rules((0, NINE, NINE)), "empty"),
        (rules((2, NINE, FIVE), (2, NOON, time(18))), "Two windows on Wednesday overlap"),
        (rules((2, NINE, MIDNIGHT), (2, NOON, FIVE)), "overlap"),
        (rules((0, time(9, 0, 30), NOON)), "whole minutes"),
        (rules((0, time(9, tzinfo=UTC), NOON)), "wall time"),
        (rules(*[(0, NINE, NOON)] * 200), "too many"),
        (rules(exceptions=(opened(None, None),)), "without saying when"),
        (rules(exceptions=(opened(NINE, None),)), "only one of start and end"),
        (rules(exceptions=(closed(), opened(NINE, NOON))), "closed all day"),
        (rules(exceptions=(closed(), closed())), "closed all day"),
        (rules(exceptions=(opened(NINE, NOON), opened(time(11), FIVE))), "2026-05-04 overlap"),
        (
            rules(exceptions=tuple(DatedException(date=DAY + timedelta(days=n), available=False) for n in range(367))),
            "367 exceptions",
        ),
        (AvailabilityRules(timezone="Europe/Atlantis", weekly=[]), "Europe/Atlantis"),
    ],
)
def test_unsound_hours_are_refused_by_name(refused: AvailabilityRules, reason: str) -> None:
    with pytest.raises(RulesInvalid, match=reason):
        check_rules(refused)
