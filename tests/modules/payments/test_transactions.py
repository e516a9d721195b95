"""Upper bounds of the database work of each operation: a write transaction before a call to the processor, one after.

The first stores the operation and the job that settles it if the process dies, the second its outcome.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID, uuid4

import pytest

from fairground.contracts.payments import PaymentFailed
from tests.modules.payments.market import Market
from tests.support.database_work import DatabaseWork, database_work

ASKS: Final = "pm_card_authenticationRequired"
DECLINED: Final = "pm_card_visa_chargeDeclined"

Call = Callable[[Market, UUID], Awaitable[object]]


async def authorise(market: Market, reference_id: UUID) -> None:
    await market.authorise(reference_id)


async def authorise_declined(market: Market, reference_id: UUID) -> None:
    with pytest.raises(PaymentFailed):
        await market.authorise(reference_id, card=DECLINED)


async def capture(market: Market, reference_id: UUID) -> None:
    await market.payments.capture(reference_id=reference_id)


async def release(market: Market, reference_id: UUID) -> None:
    await market.payments.release(reference_id=reference_id)


async def refund(market: Market, reference_id: UUID) -> None:
    await market.payments.refund(reference_id=reference_id, amount_minor=5_000, key="part")


async def refresh(market: Market, reference_id: UUID) -> None:
    await market.payments.refresh(reference_id=reference_id)


async def start_3d_secure(market: Market, reference_id: UUID) -> None:
    await market.authorise(reference_id, card=ASKS)


BOUNDS: Final[dict[str, tuple[list[Call], Call, DatabaseWork]]] = {
    "authorise": ([], authorise, DatabaseWork(reads=0, writes=2, statements=8)),
    "authorise, declined": ([], authorise_declined, DatabaseWork(reads=0, writes=2, statements=8)),
    "authorise, repeated": ([authorise], authorise, DatabaseWork(reads=0, writes=1, statements=3)),
    "authorise with a card that replaces another": (
        [start_3d_secure],
        authorise,
        DatabaseWork(reads=0, writes=4, statements=18),
    ),
    "capture": ([authorise], capture, DatabaseWork(reads=0, writes=2, statements=8)),
    "capture, repeated": ([authorise, capture], capture, DatabaseWork(reads=0, writes=1, statements=1)),
    "void": ([authorise], release, DatabaseWork(reads=0, writes=2, statements=8)),
    "void, repeated": ([authorise, release], release, DatabaseWork(reads=0, writes=1, statements=1)),
    "refund": ([authorise, capture], refund, DatabaseWork(reads=0, writes=2, statements=11)),
    "refund, repeated": ([authorise, capture, refund], refund, DatabaseWork(reads=0, writes=1, statements=2)),
    "release of a captured payment": (
        [authorise, capture],
        release,
        DatabaseWork(reads=0, writes=2, statements=13),
    ),
    # The first one stores the card, which the answer to an authorisation does not name.
    "refresh": ([authorise], refresh, DatabaseWork(reads=1, writes=1, statements=3)),
    "refresh, repeated": ([authorise, refresh], refresh, DatabaseWork(reads=1, writes=1, statements=2)),
}


@pytest.mark.parametrize("name", BOUNDS)
async def test_operation_stays_within_its_transactions_and_statements(market: Market, name: str) -> None:
    before, call, bound = BOUNDS[name]
    reference_id = uuid4()
    for step in before:
        await step(market, reference_id)
    with database_work(market.db) as work:
        await call(market, reference_id)
    assert work.is_within(bound), f"{name}: {work}, at most {bound}"
