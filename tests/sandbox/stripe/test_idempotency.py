"""Stripe's rules for idempotency keys, one test a rule."""

import asyncio
from typing import Any, Final

import pytest
import stripe

from fairground.sandbox.stripe import idempotency
from fairground.sandbox.stripe.api import RequestFault
from fairground.sandbox.stripe.sandbox import Faults
from tests.sandbox.stripe.clients import OpenRig, Rig, TestClock

MANUAL: Final[Any] = {
    "amount": 12_000, "currency": "eur", "capture_method": "manual", "confirm": True, "payment_method": "pm_card_visa",
}  # fmt: skip


async def create(rig: Rig, *, key: str, **changes: Any) -> stripe.PaymentIntent:
    return await rig.stripe.v1.payment_intents.create_async(MANUAL | changes, {"idempotency_key": key})


async def count_intents(rig: Rig) -> int:
    return len((await rig.stripe.v1.payment_intents.list_async()).data)


async def test_same_key_and_parameters_replay_the_first_result(rig: Rig) -> None:
    first, second = await create(rig, key="k"), await create(rig, key="k")
    assert first.to_dict() == second.to_dict()
    assert second.last_response is not None
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert await count_intents(rig) == 1


async def test_replay_returns_the_first_result_after_the_intent_changed(rig: Rig) -> None:
    first = await create(rig, key="k")
    await rig.stripe.v1.payment_intents.capture_async(first.id)
    assert (await create(rig, key="k")).status == "requires_capture"


async def test_decline_is_replayed_too(rig: Rig) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await create(rig, key="k", payment_method="pm_card_visa_chargeDeclined")
    assert await count_intents(rig) == 1


async def test_server_error_is_replayed_and_the_money_stays_reserved(rig: Rig) -> None:
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            await create(rig, key="k", payment_method="pm_sandbox_serverError")
        assert broken.value.http_status == 500
    [intent] = (await rig.stripe.v1.payment_intents.list_async()).data
    assert intent.status == "requires_capture"


async def test_key_of_other_parameters_is_400(rig: Rig) -> None:
    await create(rig, key="k")
    with pytest.raises(stripe.IdempotencyError) as refused:
        await create(rig, key="k", amount=12_001)
    assert refused.value.http_status == 400


async def test_key_of_another_endpoint_is_400(rig: Rig) -> None:
    intent = await create(rig, key="k")
    with pytest.raises(stripe.IdempotencyError):
        await rig.stripe.v1.payment_intents.capture_async(intent.id, options={"idempotency_key": "k"})


async def test_refused_parameters_do_not_use_the_key_up(rig: Rig) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await create(rig, key="k", currency="euros")
    assert (await create(rig, key="k")).status == "requires_capture"


async def test_twin_in_flight_is_409_and_reads_the_result_later(open_rig: OpenRig) -> None:
    rig, other_process = await open_rig(), await open_rig()
    slow = asyncio.create_task(create(rig, key="k", payment_method="pm_sandbox_slow"))
    await asyncio.sleep(0.1)
    with pytest.raises(stripe.StripeError) as refused:
        await create(other_process, key="k", payment_method="pm_sandbox_slow")
    assert refused.value.error is not None
    assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
    first = await slow
    assert (await create(other_process, key="k", payment_method="pm_sandbox_slow")).id == first.id


async def test_32_requests_with_one_key_make_one_intent(open_rig: OpenRig) -> None:
    rigs = [await open_rig(), await open_rig()]
    answers = await asyncio.gather(*(create(rigs[n % 2], key="k") for n in range(32)), return_exceptions=True)
    made = {answer.id for answer in answers if isinstance(answer, stripe.PaymentIntent)}
    assert len(made) == 1
    assert {getattr(a, "http_status", 200) for a in answers if isinstance(a, BaseException)} <= {409}
    assert await count_intents(rigs[0]) == 1


async def test_lock_of_a_dead_process_lapses_and_its_key_is_taken_over(rig: Rig, clock: TestClock) -> None:
    store = rig.sandbox._store
    fields = {"amount": "12000"}
    dead = await store.write(
        lambda tx: idempotency.claim(tx, key="k", endpoint="/v1/x", fields=fields, now=clock.now().timestamp())
    )
    clock.move(seconds=idempotency.LOCK_SECONDS + 1)
    heir = await store.write(
        lambda tx: idempotency.claim(tx, key="k", endpoint="/v1/x", fields=fields, now=clock.now().timestamp())
    )
    assert isinstance(dead, idempotency.Claim)
    assert isinstance(heir, idempotency.Claim)
    await store.write(lambda tx: idempotency.require_still_ours(tx, heir))
    with pytest.raises(Exception, match="in-progress"):
        await store.write(lambda tx: idempotency.require_still_ours(tx, dead))


async def test_key_is_forgotten_after_a_day(rig: Rig, clock: TestClock) -> None:
    await create(rig, key="k")
    clock.move(seconds=idempotency.KEPT_SECONDS + 1)
    await create(rig, key="k")
    assert await count_intents(rig) == 2


async def test_key_that_is_too_long_is_refused(rig: Rig) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        await create(rig, key="k" * 256)


async def test_rate_limited_request_does_nothing(open_rig: OpenRig) -> None:
    faults = [RequestFault.RATE_LIMITED]
    rig = await open_rig(faults=Faults(on_request=lambda _method, _path: faults.pop() if faults else None))
    with pytest.raises(stripe.RateLimitError):
        await create(rig, key="k")
    assert await count_intents(rig) == 0
    assert (await create(rig, key="k")).status == "requires_capture"


async def test_replay_after_an_error_after_commit_returns_the_true_result(open_rig: OpenRig) -> None:
    faults = [RequestFault.ERROR_AFTER_COMMIT]
    rig = await open_rig(faults=Faults(on_request=lambda _method, _path: faults.pop() if faults else None))
    with pytest.raises(stripe.APIError):
        await create(rig, key="k")
    assert (await create(rig, key="k")).status == "requires_capture"
    assert await count_intents(rig) == 1


async def test_hanging_answer_is_replayed_after_a_timeout(open_rig: OpenRig) -> None:
    faults = [RequestFault.HANG_AFTER_COMMIT]
    rig = await open_rig(faults=Faults(on_request=lambda _method, _path: faults.pop() if faults else None))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await create(rig, key="k")
    assert (await create(rig, key="k")).status == "requires_capture"
    assert await count_intents(rig) == 1
