"""Paying with another card after 3-D Secure was begun: the new card replaces the old one, and only one is charged."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from fairground.contracts.payments import Payment, PaymentFailed, PaymentPending, PaymentStatus
from fairground.modules.payments.gateways.stripe import StripeProcessor
from fairground.modules.payments.service import PaymentService
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import Routes
from fairground.sandbox.stripe.api import RequestFault
from tests.modules.payments.market import AMOUNT, Market, payments_with
from tests.support.databases import migrate
from tests.support.outbox import RecordingOutbox

ASKS = "pm_card_authenticationRequired"
VISA = "pm_card_visa"

Step = Callable[[], Awaitable[None]]


class PausedAPI:
    """The sandbox behind a network that stops once, before or after it has handled a request."""

    def __init__(self, app: Any, *, path_end: str, before: Step | None = None, after: Step | None = None) -> None:
        self._app = app
        self._path_end = path_end
        self._before = before
        self._after = after

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST" or not scope["path"].endswith(self._path_end):
            await self._app(scope, receive, send)
            return
        before, after, self._before, self._after = self._before, self._after, None, None
        if before is not None:
            await before()
        answer: list[Any] = []

        async def keep(message: Any) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        if after is not None:
            await after()
        for message in answer:
            await send(message)


def payments_over(market: Market, network: PausedAPI) -> PaymentService:
    """Return payments as another process has them, on the same database and over its own network."""
    client = httpx.AsyncClient(base_url="http://stripe.test", transport=httpx.ASGITransport(network))
    processor = StripeProcessor(client=client, account=market.sandbox, clock=market.clock, timeout_seconds=60)
    return payments_with(processor, db=market.db)


async def reserved_cards(market: Market) -> list[str]:
    """Return the cards on which money is reserved or from which it was taken."""
    return [
        intent["payment_method"]
        for intent in await market.intents()
        if intent["status"] in {"requires_capture", "succeeded"}
    ]


async def test_other_card_replaces_the_one_that_waits_for_3d_secure(market: Market) -> None:
    reference_id = uuid4()
    first = await market.authorise(reference_id, card=ASKS)
    assert first.status is PaymentStatus.REQUIRES_ACTION
    second = await market.authorise(reference_id, card=VISA)
    assert second.status is PaymentStatus.AUTHORISED
    assert second.id != first.id
    assert await reserved_cards(market) == [VISA]
    assert await market.payments.find_payment(reference_id=reference_id) == second


async def test_replaced_3d_secure_page_charges_nothing_when_completed(market: Market) -> None:
    reference_id = uuid4()
    first = await market.authorise(reference_id, card=ASKS)
    second = await market.authorise(reference_id, card=VISA)
    assert first.action_url is not None
    back = await market.open_page(first.action_url, outcome="complete")
    assert "redirect_status=failed" in back.headers["location"]
    await market.sandbox.sender.send_due()
    await market.work()
    assert await reserved_cards(market) == [VISA]
    known = await market.payments.refresh(reference_id=reference_id)
    assert known is not None
    assert (known.id, known.status) == (second.id, PaymentStatus.AUTHORISED)


async def test_same_card_again_leads_to_the_same_3d_secure_page(market: Market) -> None:
    reference_id = uuid4()
    first = await market.authorise(reference_id, card=ASKS)
    assert await market.authorise(reference_id, card=ASKS) == first


async def test_other_card_after_3d_secure_was_passed_changes_nothing(market: Market) -> None:
    reference_id = uuid4()
    first = await market.authorise(reference_id, card=ASKS)
    assert first.action_url is not None
    await market.open_page(first.action_url, outcome="complete")
    await market.payments.refresh(reference_id=reference_id)
    second = await market.authorise(reference_id, card=VISA)
    assert (second.id, second.status) == (first.id, PaymentStatus.AUTHORISED)
    assert await reserved_cards(market) == [ASKS]


async def test_declined_replacement_leaves_nothing_reserved_and_allows_the_first_card_again(market: Market) -> None:
    reference_id = uuid4()
    await market.authorise(reference_id, card=ASKS)
    with pytest.raises(PaymentFailed):
        await market.authorise(reference_id, card="pm_card_visa_chargeDeclined")
    assert await reserved_cards(market) == []
    assert (await market.authorise(reference_id, card=ASKS)).status is PaymentStatus.REQUIRES_ACTION


async def test_cancelling_without_an_answer_is_pending_and_repeating_replaces_the_card(market: Market) -> None:
    reference_id = uuid4()
    await market.authorise(reference_id, card=ASKS)
    market.faults.set(RequestFault.ERROR_AFTER_COMMIT, path_end="/cancel")
    with pytest.raises(PaymentPending):
        await market.authorise(reference_id, card=VISA)
    assert await reserved_cards(market) == []
    assert (await market.authorise(reference_id, card=VISA)).status is PaymentStatus.AUTHORISED
    assert await reserved_cards(market) == [VISA]


async def test_other_card_during_the_first_authorisation_charges_one_card(market: Market) -> None:
    """The answer to the first card is on its way when the second is offered."""
    reference_id, second_is_done = uuid4(), asyncio.Event()

    async def wait() -> None:
        await second_is_done.wait()

    slow = payments_over(market, PausedAPI(market.sandbox.api, path_end="/payment_intents", after=wait))
    first = asyncio.create_task(_authorise(slow, reference_id, card=ASKS))
    while not await market.intents():
        await asyncio.sleep(0.01)
    second = await market.authorise(reference_id, card=VISA)
    second_is_done.set()
    assert second.status is PaymentStatus.AUTHORISED
    assert (await first).id == second.id
    await market.work()
    assert await reserved_cards(market) == [VISA]


async def test_3d_secure_passed_during_its_cancellation_charges_one_card(market: Market) -> None:
    reference_id = uuid4()
    first = await market.authorise(reference_id, card=ASKS)

    async def pass_authentication() -> None:
        assert first.action_url is not None
        await market.open_page(first.action_url, outcome="complete")
        await market.sandbox.sender.send_due()
        assert await reserved_cards(market) == [ASKS]

    other = payments_over(market, PausedAPI(market.sandbox.api, path_end="/cancel", before=pass_authentication))
    second = await _authorise(other, reference_id, card=VISA)
    await market.sandbox.sender.send_due()
    await market.work()
    assert second.status is PaymentStatus.AUTHORISED
    assert await reserved_cards(market) == [VISA]
    known = await market.payments.find_payment(reference_id=reference_id)
    assert known is not None
    assert (known.id, known.status, known.is_being_released) == (second.id, PaymentStatus.AUTHORISED, False)


@pytest.mark.parametrize("cards", [(ASKS, VISA), (VISA, ASKS), (VISA, "pm_card_mastercard")])
async def test_two_cards_at_once_are_never_both_charged(market: Market, cards: tuple[str, str]) -> None:
    for _ in range(3):
        reference_id = uuid4()
        answers = await asyncio.gather(
            *(market.authorise(reference_id, card=card) for card in cards), return_exceptions=True
        )
        assert all(isinstance(answer, Payment | PaymentPending) for answer in answers), answers
        await market.work()
        for intent in await market.intents():
            if intent["next_action"]:
                await market.open_page(intent["next_action"]["redirect_to_url"]["url"], outcome="complete")
        await market.sandbox.sender.send_due()
        await market.work()
        assert len(await reserved_cards(market)) == 1
        await market.payments.release(reference_id=reference_id)
        assert await reserved_cards(market) == []


@pytest.fixture
async def own_db(database_url: str) -> AsyncIterator[Database]:
    """Give a database whose indexes may be dropped, for no other test sees it."""
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    yield db
    await db.close()


async def test_control_two_cards_are_charged_without_the_unique_live_payment(own_db: Database, tmp_path: Path) -> None:
    market = Market(own_db, Routes(), tmp_path)
    async with own_db.write() as tx:
        await tx.execute(text("DROP INDEX uq_payments_payment__live_reference"))
    reference_id = uuid4()
    first = await market.authorise(reference_id, card=ASKS)
    await market.authorise(reference_id, card=VISA)
    assert first.action_url is not None
    await market.open_page(first.action_url, outcome="complete")
    assert sorted(await reserved_cards(market)) == sorted([ASKS, VISA])
    await market.close()


async def _authorise(payments: PaymentService, reference_id: Any, *, card: str) -> Payment:
    return await payments.authorise(
        reference_id=reference_id,
        payer_id=uuid4(),
        amount_minor=AMOUNT,
        currency="EUR",
        payment_method=card,
        return_url="http://shop.test/return",
    )
