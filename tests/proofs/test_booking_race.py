"""Sixty-four callers want one time, and one gets it: the claim, its controls, and the race of paying with lapsing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import ColumnElement, false

from fairground.contracts.booking import BookingStatus, BookingView
from fairground.contracts.providers import BookingMode, Offer
from fairground.kernel.ids import uuid7
from fairground.modules.booking.time.store import allocations as time_store
from fairground.platform.db.database import Database
from tests.modules.booking.rig import Rig, make_rig
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose
from tests.support.rushes import EQUAL, UNEQUAL, Rush, count_double_bookings, drop_guard, rush

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

CALLERS = 64
CONNECTIONS = 32  # and as many again in a rush
Figures = Callable[[str, float, str], None]


@pytest.fixture
async def rig(database_url: str, patience: None) -> AsyncIterator[Rig]:
    """Give a database of our own, because the controls take its guard away."""
    del patience
    migrate(database_url)
    outbox = RecordingOutbox()
    db = Database(database_url, outbox=outbox, pool_size=CONNECTIONS)
    yield make_rig(db, outbox)
    await db.close()


@pytest.fixture
def without_question(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Find every time free: when its opening is looked up, and when it is claimed."""

    def overlapping_none(*_time: object) -> list[ColumnElement[bool]]:
        return [false()]

    monkeypatch.setattr(time_store, "_overlapping", overlapping_none)
    forget_statements()
    yield
    forget_statements()


def forget_statements() -> None:
    """Let the statements of time be built again: they are kept for the life of the process."""
    for each in vars(time_store).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()


async def rush_for_times(rig: Rig, *, rounds: int, shapes: tuple[tuple[int, int], ...]) -> list[Rush]:
    """Let all callers ask for times that contain one instant, in each round another instant."""
    provider = await rig.provider()
    offers = {minutes: rig.providers.add_service(provider, duration_minutes=minutes) for minutes, _ in shapes}
    contested = await rig.tomorrow(4)
    return [
        await rush(
            rig.hold(offers[minutes], starts_at=contested + number * timedelta(hours=5) + timedelta(minutes=shift))
            for minutes, shift in (shapes[caller % len(shapes)] for caller in range(CALLERS))
        )
        for number in range(rounds)
    ]


@pytest.mark.parametrize("shapes", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
async def test_one_of_64_callers_gets_the_time(
    rig: Rig, dose: Dose, figure: Figures, shapes: tuple[tuple[int, int], ...]
) -> None:
    rounds = await rush_for_times(rig, rounds=dose(small=2, full=50), shapes=shapes)
    assert [outcome.won for outcome in rounds] == [1] * len(rounds)
    assert [dict(outcome.refused) for outcome in rounds] == [{"SlotTaken": CALLERS - 1}] * len(rounds)
    assert await count_double_bookings(rig.db) == 0
    figure("rounds won by exactly one of 64", len(rounds), "rounds")
    figure("slowest answer", max(outcome.slowest_seconds for outcome in rounds), "s")


async def test_control_without_constraint_and_check_the_time_is_taken_twice(
    rig: Rig, database_url: str, figure: Figures, without_question: None
) -> None:
    del without_question
    drop_guard(database_url)
    await rush_for_times(rig, rounds=2, shapes=UNEQUAL)
    doubles = await count_double_bookings(rig.db)
    figure("double bookings with both guards off", doubles, "pairs")
    assert doubles > 0


async def test_the_constraint_alone_still_refuses(rig: Rig, without_question: None) -> None:
    del without_question
    rounds = await rush_for_times(rig, rounds=2, shapes=UNEQUAL)
    assert [outcome.won for outcome in rounds] == [1] * len(rounds)
    assert await count_double_bookings(rig.db) == 0


@pytest.mark.parametrize("mode", list(BookingMode))
async def test_a_lapsed_hold_is_either_paid_or_given_to_one_other(
    rig: Rig, dose: Dose, figure: Figures, mode: BookingMode
) -> None:
    offer = await rig.offer(mode=mode)
    start = await rig.tomorrow(4)
    rounds, paid = dose(small=10, full=200), 0
    for number in range(rounds):
        held = await rig.hold(offer, starts_at=start + number * timedelta(hours=2))
        rig.pass_time(minutes=12)
        # From a head start for the payer to one for the others, so that each wins some rounds.
        lead_seconds = (number % 8 - 4) * 0.01
        payer = _after(max(lead_seconds, 0), rig.pay(held))
        others = [_after(max(-lead_seconds, 0), _hold_again(rig, offer, held)) for _ in range(7)]
        outcome = await rush([payer, *others])
        assert outcome.won == 1, dict(outcome.refused)
        assert set(outcome.refused) <= {"SlotTaken", "HoldLapsed"}
        paid += await rig.status(held) is not BookingStatus.EXPIRED
    assert await count_double_bookings(rig.db) == 0
    figure("rounds in which the payer won", paid, f"of {rounds}")


async def _after(seconds: float, call: Awaitable[BookingView]) -> BookingView:
    await asyncio.sleep(seconds)
    return await call


async def _hold_again(rig: Rig, offer: Offer, held: BookingView) -> BookingView:
    return await rig.hold(offer, customer_id=uuid7(), starts_at=held.starts_at)
