"""Upper bounds of the database work of each step of a booking, with the real payments beside it.

A step gathers in one read at most and decides in one write; what its caller has read is not read again. The catalog's
one read of the offer, in a hold, comes on top.
"""

from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar, cast

import pytest

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import BookingStatus, BookingView, SlotTaken
from fairground.contracts.providers import BookingMode, Providers
from fairground.modules.booking.module import handlers_of
from fairground.modules.booking.service import assemble
from fairground.modules.booking.settings import BookingSettings
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.verticals.loader import load_verticals
from tests.doubles.accounts import FakeAccounts
from tests.doubles.payments import FakePayments
from tests.doubles.providers import FakeProviders
from tests.modules.booking.rig import ORGANIZER, PUBLIC_URL, Rig
from tests.modules.payments.market import Market
from tests.support.database_work import DatabaseWork, database_work
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio
Answer = TypeVar("Answer")

HOLD: Final = DatabaseWork(reads=0, writes=1, statements=11)
HOLD_AGAIN: Final = DatabaseWork(reads=1, writes=1, statements=6)
HOLD_REFUSED: Final = DatabaseWork(reads=0, writes=1, statements=2)
PAY: Final = DatabaseWork(reads=0, writes=4, statements=18)
PAY_INSTANT: Final = DatabaseWork(reads=1, writes=6, statements=28)
ACCEPT: Final = DatabaseWork(reads=1, writes=3, statements=16)
END: Final = DatabaseWork(reads=1, writes=1, statements=8)
GET: Final = DatabaseWork(reads=2, writes=0, statements=2)
LIST: Final = DatabaseWork(reads=2, writes=0, statements=5)


@pytest.fixture
def routes() -> Routes:
    return Routes()


@pytest.fixture
def outbox(routes: Routes) -> JobOutbox:
    """Write messages as the program does."""
    return JobOutbox(routes)


@pytest.fixture
async def rig(db: Database, routes: Routes, tmp_path: Path) -> AsyncIterator[Rig]:
    providers, market = FakeProviders(), Market(db, routes, tmp_path)
    parts = assemble(
        db=db,
        accounts=cast("Accounts", FakeAccounts()),
        providers=cast("Providers", providers),
        payments=market.payments,
        verticals=load_verticals(),
        settings=BookingSettings(),
        public_url=PUBLIC_URL,
        organizer=ORGANIZER,
    )
    routes.add("booking", handlers=handlers_of(parts))
    yield Rig(db, RecordingOutbox(), providers, FakePayments(), parts)
    await market.close()


async def within(rig: Rig, bound: DatabaseWork, step: Awaitable[Answer]) -> Answer:
    """Take a step and compare its work with the bound."""
    with database_work(rig.db) as work:
        answer = await step
    assert work.is_within(bound), f"{work}, at most {bound}"
    return answer


async def refused(step: Awaitable[BookingView]) -> None:
    with pytest.raises(SlotTaken):
        await step


async def test_steps_of_a_request_stay_within_their_database_work(rig: Rig) -> None:
    offer, starts_at = await rig.offer(), await rig.tomorrow()
    held = await within(rig, HOLD, rig.hold(offer, starts_at=starts_at))
    again = rig.hold(offer, customer_id=held.customer_id, starts_at=starts_at)
    await within(rig, HOLD_AGAIN, again)
    await within(rig, HOLD_REFUSED, refused(rig.hold(offer, starts_at=starts_at)))
    paid = await within(rig, PAY, rig.pay(held, card="pm_card_visa"))
    assert paid.status is BookingStatus.REQUESTED
    accepted = await within(rig, ACCEPT, rig.service.accept(owner_id=rig.owner(held), booking_id=held.id))
    assert accepted.status is BookingStatus.CONFIRMED
    user_id = held.customer_id
    await within(rig, GET, rig.service.get_booking(user_id=user_id, booking_id=held.id))
    await within(rig, LIST, rig.service.list_bookings(user_id=user_id, side=None, status=None, limit=20))
    await within(rig, END, rig.service.cancel(user_id=user_id, booking_id=held.id))


async def test_steps_of_an_instant_booking_stay_within_their_database_work(rig: Rig) -> None:
    held = await rig.hold(await rig.offer(mode=BookingMode.INSTANT))
    paid = await within(rig, PAY_INSTANT, rig.pay(held, card="pm_card_visa"))
    assert paid.status is BookingStatus.CONFIRMED
    rig.db.clock_shift += held.ends_at - await rig.now() + timedelta(minutes=1)
    await within(rig, END, rig.service.complete(user_id=held.customer_id, booking_id=held.id))


async def test_declining_a_request_stays_within_its_database_work(rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    await rig.pay(held, card="pm_card_visa")
    decline = rig.service.decline(owner_id=rig.owner(held), booking_id=held.id, reason=None)
    declined = await within(rig, END, decline)
    assert declined.status is BookingStatus.DECLINED
