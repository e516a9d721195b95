"""Concurrent refunds, with the database's guard and, as a control, without it."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update

from fairground.contracts.payments import PaymentStatus, RefundTooLarge
from fairground.modules.payments import store
from fairground.modules.payments.domain import NewPayment
from fairground.modules.payments.tables import PaymentRow
from fairground.platform.db.database import Database
from tests.modules.payments.market import AMOUNT, Market
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose

SIXTY_PERCENT = AMOUNT * 6 // 10
RACERS = 4

Reserve = Callable[[Database, UUID], Awaitable[bool]]


@pytest.mark.proof
async def test_one_of_four_concurrent_refunds_of_60_percent_succeeds(market: Market, dose: Dose) -> None:
    for _ in range(dose(small=3, full=100)):
        payment = await market.captured()
        answers = await asyncio.gather(
            *(
                market.payments.refund(
                    reference_id=payment.reference_id, amount_minor=SIXTY_PERCENT, key=f"racer {racer}"
                )
                for racer in range(RACERS)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, RefundTooLarge) for answer in answers) == RACERS - 1
        known = await market.payments.find_payment(reference_id=payment.reference_id)
        assert known is not None
        assert known.refunded_minor == SIXTY_PERCENT


@pytest.fixture
async def own_db(database_url: str) -> AsyncIterator[Database]:
    """Give a database whose constraints may be dropped, for no other test will see it."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    yield db
    await db.close()


@pytest.mark.proof
async def test_database_refuses_a_refund_that_a_stale_read_would_allow(own_db: Database, dose: Dose) -> None:
    """The guard decides every round; without it and without the CHECK, most rounds give back more than was taken."""
    db = own_db
    rounds = dose(small=10, full=300)
    assert [await _race(db, _reserve_guarded) for _ in range(rounds)] == [1] * rounds
    async with db.write() as tx:
        if tx.ops.name == "sqlite":
            await tx.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            await tx.execute(text("ALTER TABLE payments_payment DROP CONSTRAINT ck_payments_payment__refunded"))
    winners = [await _race(db, _reserve_after_reading) for _ in range(rounds)]
    assert sum(count > 1 for count in winners) > rounds / 2


async def _race(db: Database, reserve: Reserve) -> int:
    """Let four ask for 60 % of one captured payment at once, and return how many got it."""
    new = NewPayment(
        reference_id=uuid4(),
        payer_id=uuid4(),
        amount_minor=AMOUNT,
        currency="EUR",
        payment_method="pm_card_visa",
        return_url="http://shop.test",
    )
    async with db.write() as tx:
        payment = await store.insert_payment(tx, new)
        assert payment is not None
        captured = replace(payment, status=PaymentStatus.CAPTURED, captured_minor=AMOUNT)
        await store.save_payment(tx, payment, captured)
    return sum(await asyncio.gather(*(reserve(db, payment.id) for _ in range(RACERS))))


async def _reserve_guarded(db: Database, payment_id: UUID) -> bool:
    async with db.write() as tx:
        return await store.reserve_refund(tx, payment_id, SIXTY_PERCENT)


async def _reserve_after_reading(db: Database, payment_id: UUID) -> bool:
    async with db.read() as tx:
        row = await store.get_payment(tx, payment_id)
    if row.refunded_minor + row.refunding_minor + SIXTY_PERCENT > row.captured_minor:
        return False
    async with db.write() as tx:
        reserve = update(PaymentRow).where(PaymentRow.id == payment_id)
        await tx.execute(reserve.values(refunding_minor=PaymentRow.refunding_minor + SIXTY_PERCENT))
    return True


@pytest.mark.parametrize("table", ["payments_attempt", "payments_event"])
async def test_log_is_append_only(market: Market, table: str) -> None:
    await market.captured()
    await market.sandbox.sender.send_due()
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET payment_id = NULL", f"UPDATE {table} SET kind = ''"):
        with pytest.raises(Exception, match=r".") as refused:
            async with market.db.write() as tx:
                await tx.execute(text(statement))
        # What the database said of it is the reason of an Unavailable, which no caller is shown.
        assert re.search(r"append-only|payment_id|kind", f"{refused.value} {getattr(refused.value, 'reason', '')}")
    async with market.db.read() as tx:
        assert await tx.scalar(text(f"SELECT count(*) FROM {table}")) > 0
