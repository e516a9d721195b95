"""Webhooks: signed as Stripe signs, sent until the answer is 2xx, by whichever process is alive."""

import asyncio
import json
from collections.abc import Sequence

import pytest
import stripe

from fairground.sandbox.stripe.sandbox import Faults
from fairground.sandbox.stripe.webhooks import LEASE_SECONDS, Delivery, pause_seconds
from tests.sandbox.stripe.clients import OpenRig, Rig, Shop, TestClock

CREATED, AUTHORISED = "payment_intent.created", "payment_intent.amount_capturable_updated"


async def authorise(rig: Rig) -> None:
    await rig.stripe.v1.payment_intents.create_async(
        {
            "amount": 500,
            "currency": "eur",
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )


def kinds(shop: Shop) -> list[str]:
    return [json.loads(body)["type"] for body, _ in shop.received]


async def test_webhook_passes_the_check_of_the_official_library(rig: Rig, shop: Shop) -> None:
    await authorise(rig)
    await rig.sandbox.sender.send_due()
    for body, signature in shop.received:
        event = stripe.Webhook.construct_event(body, signature, await rig.sandbox.webhook_secret(), tolerance=0)
        assert event.data.object["object"] == "payment_intent"
    body, signature = shop.received[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"500", b"501"), signature, await rig.sandbox.webhook_secret())


async def test_refused_webhook_is_retried_with_back_off(rig: Rig, shop: Shop, clock: TestClock) -> None:
    shop.statuses = [200, 500, 0]
    await authorise(rig)
    await rig.sandbox.sender.send_due()
    assert kinds(shop) == [CREATED, AUTHORISED]
    clock.move(seconds=pause_seconds(1))
    await rig.sandbox.sender.send_due()
    clock.move(seconds=pause_seconds(2) - 0.5)
    assert await rig.sandbox.sender.send_due() == 0
    clock.move(seconds=0.5)
    await rig.sandbox.sender.send_due()
    assert kinds(shop) == [CREATED, AUTHORISED, AUTHORISED, AUTHORISED]
    clock.move(seconds=3600)
    assert await rig.sandbox.sender.send_due() == 0


async def test_sender_gives_up_after_three_days(rig: Rig, shop: Shop, clock: TestClock) -> None:
    shop.statuses = [500] * 1_000
    await authorise(rig)
    for _ in range(120):
        await rig.sandbox.sender.send_due()
        clock.move(seconds=3600)
    assert 140 < len(shop.received) < 200
    assert await rig.sandbox.sender.send_due() == 0


async def test_event_of_a_dead_process_is_sent_by_another(open_rig: OpenRig, shop: Shop, clock: TestClock) -> None:
    def die(_deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        raise KeyboardInterrupt

    dying, living = await open_rig(faults=Faults(rearrange_webhooks=die)), await open_rig()
    await authorise(dying)
    with pytest.raises(KeyboardInterrupt):
        await dying.sandbox.sender.send_due()
    assert await living.sandbox.sender.send_due() == 0
    clock.move(seconds=LEASE_SECONDS)
    await living.sandbox.sender.send_due()
    assert kinds(shop) == [CREATED, AUTHORISED]


async def test_webhooks_can_be_lost_doubled_and_reordered(open_rig: OpenRig, shop: Shop, clock: TestClock) -> None:
    def worst(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        kept = [delivery for delivery in deliveries if b"payment_intent.created" not in delivery.body]
        return [*reversed(kept), *kept]

    rig = await open_rig(faults=Faults(rearrange_webhooks=worst, webhook_delay_seconds=60))
    await authorise(rig)
    assert await rig.sandbox.sender.send_due() == 0
    clock.move(seconds=60)
    await rig.sandbox.sender.send_due()
    assert kinds(shop) == [AUTHORISED, AUTHORISED]
    clock.move(seconds=3600)
    assert await rig.sandbox.sender.send_due() == 0


async def test_running_sender_is_woken_by_a_new_event_and_stops(rig: Rig, shop: Shop) -> None:
    running = asyncio.create_task(rig.sandbox.sender.run())
    await asyncio.sleep(0.05)
    await authorise(rig)
    async with asyncio.timeout(0.5):
        while len(shop.received) < 2:
            await asyncio.sleep(0.01)
    rig.sandbox.sender.stop()
    async with asyncio.timeout(1):
        await running
