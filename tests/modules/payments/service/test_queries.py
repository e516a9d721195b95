"""Reading payments, with and without a call to the processor."""

from uuid import uuid4

import httpx
import pytest
import structlog
from sqlalchemy import update
from starlette.applications import Starlette

from fairground.contracts.payments import (
    PaymentAuthorised,
    PaymentFailed,
    PaymentStatus,
)
from fairground.modules.payments.tables import PaymentRow
from tests.modules.payments.market import Market


async def test_find_payments_returns_the_newest_of_each_reference(market: Market) -> None:
    first, second, unpaid = uuid4(), uuid4(), uuid4()
    with pytest.raises(PaymentFailed):
        await market.authorise(first, card="pm_card_visa_chargeDeclined")
    again, other = await market.authorise(first), await market.authorise(second)
    found = await market.payments.find_payments(reference_ids=[first, second, unpaid])
    assert {reference_id: payment.id for reference_id, payment in found.items()} == {first: again.id, second: other.id}


async def test_unreadable_payment_is_logged_and_hides_no_other_one(market: Market) -> None:
    first, unreadable, last = uuid4(), uuid4(), uuid4()
    with pytest.raises(PaymentFailed):
        await market.authorise(unreadable, card="pm_card_visa_chargeDeclined")
    for reference_id in (first, unreadable, last):
        await market.authorise(reference_id)
    newest = (PaymentRow.reference_id == unreadable) & (PaymentRow.status == PaymentStatus.AUTHORISED.value)
    async with market.db.write() as tx:
        assert await tx.execute(
            update(PaymentRow).where(newest).values(open_act="of_a_later_version", open_key=uuid4())
        )
    with structlog.testing.capture_logs() as events:
        found = await market.payments.find_payments(reference_ids=[first, unreadable, last])
    assert set(found) == {first, last}
    logged = [event["reference_id"] for event in events if event["event"] == "payments.unreadable"]
    assert logged == [str(unreadable)]


async def test_refresh_sees_that_3d_secure_was_passed(market: Market) -> None:
    reference_id = uuid4()
    asked = await market.authorise(reference_id, card="pm_card_authenticationRequired")
    assert asked.status is PaymentStatus.REQUIRES_ACTION
    assert asked.action_url is not None
    assert await market.authorise(reference_id, card="pm_card_authenticationRequired") == asked

    pages = httpx.ASGITransport(Starlette(routes=market.sandbox.page_routes))
    async with httpx.AsyncClient(transport=pages) as browser:
        await browser.post(asked.action_url, data={"outcome": "complete"})
    refreshed = await market.payments.refresh(reference_id=reference_id)
    assert refreshed is not None
    assert (refreshed.status, refreshed.action_url) == (PaymentStatus.AUTHORISED, None)
    await market.work()
    assert [type(event) for event in market.events] == [PaymentAuthorised]
