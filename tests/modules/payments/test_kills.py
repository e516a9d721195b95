"""After a kill at any instant, the next process brings both sides to the same amounts."""

import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import select

from fairground.contracts.payments import PaymentPending, PaymentStatus
from fairground.modules.payments.service.reconciliation import Reconcile
from fairground.modules.payments.tables import PaymentRow
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from tests.modules.payments.market import Market
from tests.support.proofs import Dose

CHILD: Final = Path(__file__).with_name("child.py")
STATUS_OF: Final = {
    "requires_capture": PaymentStatus.AUTHORISED,
    "requires_payment_method": PaymentStatus.FAILED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}


@pytest.fixture
async def survivor(migrated_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    """Give a market that opens the files of the killed processes only when it is first used."""
    routes = Routes()
    market = Market(Database(migrated_url, outbox=JobOutbox(routes)), routes, tmp_path)
    yield market
    await market.close()
    await market.db.close()


def run_and_kill(url: str, folder: Path) -> list[str]:
    """Let a process pay for a moment, kill it at a random instant, and return for what it acknowledged a payment."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(CHILD), url, str(folder)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        assert process.stdout is not None
        # However long a loaded machine takes, one payment is there to be lost.
        lines = [next(line for line in process.stdout if line.startswith("paid "))]
        time.sleep(random.uniform(0, 0.5))
        process.kill()
        lines += list(process.stdout)
    # The log goes to the same place.
    return [line.split()[1] for line in lines if line.startswith("paid ") and line.endswith("\n")]


@pytest.mark.proof
async def test_kill_at_any_instant_leaves_both_sides_agreeing(
    migrated_url: str, survivor: Market, tmp_path: Path, dose: Dose
) -> None:
    acknowledged: list[str] = []
    for _ in range(dose(small=2, full=20)):
        acknowledged += run_and_kill(migrated_url, tmp_path)
    await work_through(survivor)

    payments = await all_payments(survivor)
    assert set(acknowledged) <= {str(row.reference_id) for row in payments}
    intents = {intent["id"]: intent for intent in await all_intents(survivor)}
    assert {row.intent_id for row in payments if row.intent_id} == set(intents)
    for row in payments:
        assert (row.open_key, row.refunding_minor) == (None, 0)
        if row.intent_id is None:
            assert row.status == PaymentStatus.FAILED
            continue
        intent = intents[row.intent_id]
        assert row.status == STATUS_OF[intent["status"]]
        assert row.captured_minor == intent["amount_received"]
        refunds = (await survivor.get(f"/v1/refunds?payment_intent={row.intent_id}"))["data"]
        assert row.refunded_minor == sum(refund["amount"] for refund in refunds)
    assert acknowledged


async def work_through(market: Market) -> None:
    """Do every job, also those that wait before they try again. A card that answers 500 is among the payments."""
    for _ in range(500):
        # Killed processes leave locks at the sandbox and pauses between attempts; both pass.
        market.move(timedelta(minutes=2))
        try:
            await market.reconciliation.run(Reconcile())
            await market.work()
        except PaymentPending:
            continue
        return
    pytest.fail("Some payments never settle.")


async def all_payments(market: Market) -> Any:
    async with market.db.read() as tx:
        return await tx.all(select(*PaymentRow.__table__.columns))


async def all_intents(market: Market) -> list[Any]:
    intents: list[Any] = []
    after = ""
    while True:
        page = await market.get(f"/v1/payment_intents?limit=100{after}")
        intents += page["data"]
        if not page["has_more"]:
            return intents
        after = f"&starting_after={intents[-1]['id']}"
