"""A process that pays, takes and gives back until it is killed; each acknowledged payment is printed."""

import asyncio
import contextlib
import random
import sys
from pathlib import Path
from uuid import UUID, uuid4

from fairground.kernel.errors import DomainError
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from tests.modules.payments.market import Market

CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_sandbox_serverError")


async def main(url: str, folder: Path) -> None:
    routes = Routes()
    market = Market(Database(url, outbox=JobOutbox(routes)), routes, folder)
    await asyncio.gather(*(pay_for_ever(market) for _ in range(4)))


async def pay_for_ever(market: Market) -> None:
    while True:
        reference_id = uuid4()
        with contextlib.suppress(DomainError):
            await pay(market, reference_id)


async def pay(market: Market, reference_id: UUID) -> None:
    payment = await market.authorise(reference_id, card=random.choice(CARDS))
    print("paid", payment.reference_id, flush=True)
    if random.random() < 0.3:
        await market.payments.release(reference_id=payment.reference_id)
        return
    payment = await market.payments.capture(reference_id=payment.reference_id)
    print("paid", payment.reference_id, flush=True)
    await market.payments.refund(reference_id=payment.reference_id, amount_minor=5_000, key="a")
    await market.payments.release(reference_id=payment.reference_id)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
