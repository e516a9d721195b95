"""The routes of `/v1`, called through Stripe's own client, and the rules for idempotency keys, one test a rule."""

import asyncio
from typing import Any, Final

import pytest
import stripe

from fairground.sandbox.stripe import api
from fairground.sandbox.stripe.api import RequestFault
from fairground.sandbox.stripe.sandbox import Faults
from tests.sandbox.stripe.clients import OpenRig, Rig, TestClock

EUR: Final[Any] = {"amount": 12_000, "currency": "eur", "payment_method_types": ["card"]}
MANUAL: Final[Any] = EUR | {"capture_method": "manual", "payment_method": "pm_card_visa", "confirm": True}
WITH_KEY: Final[Any] = {
    "amount": 12_000, "currency": "eur", "capture_method": "manual", "confirm": True, "payment_method": "pm_card_visa",
}  # fmt: skip


async def authorised(rig: Rig, **changes: Any) -> stripe.PaymentIntent:
    return await rig.stripe.v1.payment_intents.create_async(MANUAL | changes)


async def test_manual_intent_is_authorised_then_captured(rig: Rig) -> None:
    intent = await authorised(rig, metadata={"booking": "7"}, description="Two hours of jazz")
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 12_000, 0)
    assert intent.id.startswith("pi_")
    assert str(intent.latest_charge).startswith("ch_")

    captured = await rig.stripe.v1.payment_intents.capture_async(intent.id)
    assert (captured.status, captured.amount_capturable, captured.amount_received) == ("succeeded", 0, 12_000)
    assert captured.metadata.to_dict() == {"booking": "7"}


async def test_partial_capture_releases_the_rest(rig: Rig) -> None:
    intent = await authorised(rig)
    captured = await rig.stripe.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 5_000})
    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 5_000, 0)


async def test_automatic_intent_is_taken_at_once(rig: Rig) -> None:
    intent = await rig.stripe.v1.payment_intents.create_async(
        EUR | {"payment_method": "pm_card_mastercard", "confirm": True}
    )
    assert (intent.status, intent.amount_received) == ("succeeded", 12_000)


async def test_intent_without_a_card_waits_for_one(rig: Rig) -> None:
    intent = await rig.stripe.v1.payment_intents.create_async(EUR)
    assert intent.status == "requires_payment_method"
    confirmed = await rig.stripe.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert confirmed.status == "succeeded"


async def test_cancelled_authorisation_cannot_be_captured(rig: Rig) -> None:
    intent = await authorised(rig)
    cancelled = await rig.stripe.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await rig.stripe.v1.payment_intents.capture_async(intent.id)
    assert (refused.value.http_status, refused.value.code) == (400, "payment_intent_unexpected_state")


async def test_captured_intent_cannot_be_cancelled(rig: Rig) -> None:
    intent = await authorised(rig)
    await rig.stripe.v1.payment_intents.capture_async(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        await rig.stripe.v1.payment_intents.cancel_async(intent.id)


async def test_capture_above_the_authorised_amount_is_refused(rig: Rig) -> None:
    intent = await authorised(rig)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await rig.stripe.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 12_001})
    assert refused.value.code == "amount_too_large"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ],
)
async def test_declined_card_is_402_and_leaves_the_intent_open(
    rig: Rig, card: str, code: str, decline_code: str | None
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await authorised(rig, payment_method=card)
    error = refused.value.error
    assert error is not None
    assert (refused.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert error.payment_intent is not None
    intent = await rig.stripe.v1.payment_intents.retrieve_async(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == code

    again = await rig.stripe.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("requires_capture", None)


async def test_card_that_refuses_captures_stays_authorised(rig: Rig) -> None:
    intent = await authorised(rig, payment_method="pm_sandbox_captureDeclined")
    with pytest.raises(stripe.CardError):
        await rig.stripe.v1.payment_intents.capture_async(intent.id)
    assert (await rig.stripe.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_refunds_stop_at_what_was_captured(rig: Rig) -> None:
    intent = await authorised(rig)
    await rig.stripe.v1.payment_intents.capture_async(intent.id)
    part = await rig.stripe.v1.refunds.create_async({"payment_intent": intent.id, "amount": 4_000})
    assert (part.amount, part.status, part.charge) == (4_000, "succeeded", intent.latest_charge)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await rig.stripe.v1.refunds.create_async({"payment_intent": intent.id, "amount": 8_001})
    rest = await rig.stripe.v1.refunds.create_async({"payment_intent": intent.id, "metadata": {"key": "b"}})
    assert rest.amount == 8_000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await rig.stripe.v1.refunds.create_async({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"

    listed = await rig.stripe.v1.refunds.list_async({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [rest.id, part.id]
    assert (await rig.stripe.v1.refunds.retrieve_async(rest.id)).metadata is not None


async def test_uncaptured_intent_has_nothing_to_refund(rig: Rig) -> None:
    intent = await authorised(rig)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await rig.stripe.v1.refunds.create_async({"payment_intent": intent.id})


async def test_list_finds_an_intent_by_time_and_metadata(rig: Rig, clock: TestClock) -> None:
    for attempt in ("a", "b", "c"):
        await authorised(rig, metadata={"attempt": attempt})
        clock.move(seconds=60)
    since = int(clock.now().timestamp()) - 120
    page = await rig.stripe.v1.payment_intents.list_async({"created": {"gte": since}, "limit": 1})
    found = [intent.metadata.to_dict() async for intent in page.auto_paging_iter()]
    assert found == [{"attempt": "c"}, {"attempt": "b"}]


async def test_events_are_listed_newest_first_and_followed_by_cursor(rig: Rig) -> None:
    await authorised(rig)
    first = (await rig.stripe.v1.events.list_async()).data
    assert [event.type for event in first] == [
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
    ]
    cursor = first[0].id
    intent = await authorised(rig)
    await rig.stripe.v1.payment_intents.cancel_async(intent.id)
    newer = await rig.stripe.v1.events.list_async({"ending_before": cursor, "limit": 2})
    assert [event.type for event in newer.data] == [
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
    ]
    assert newer.has_more
    newest = await rig.stripe.v1.events.list_async({"ending_before": newer.data[0].id})
    assert [event.type for event in newest.data] == ["payment_intent.canceled"]
    assert newest.data[0].data.object["id"] == intent.id
    assert (await rig.stripe.v1.events.retrieve_async(cursor)).id == cursor


async def test_wrong_api_key_is_401(rig: Rig) -> None:
    with pytest.raises(stripe.AuthenticationError):
        await rig.stripe.v1.payment_intents.list_async(options={"api_key": "sk_test_wrong"})


@pytest.mark.parametrize(
    ("changes", "status", "code", "param"),
    [
        ({"amount": 0}, 400, None, "amount"),
        ({"amount": "ten"}, 400, "parameter_invalid_integer", "amount"),
        ({"customer": "cus_1"}, 400, "parameter_unknown", "customer"),
        ({"metadata": {"k": "v" * 501}}, 400, None, "metadata[k]"),
        ({"payment_method": "pm_missing"}, 400, "resource_missing", "payment_method"),
        ({"payment_method": "pm_card_authenticationRequired"}, 400, "parameter_missing", "return_url"),
    ],
)
async def test_wrong_parameter_is_named(
    rig: Rig, changes: dict[str, Any], status: int, code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await authorised(rig, **changes)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (status, code, param)


async def test_missing_object_is_404(rig: Rig) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await rig.stripe.v1.payment_intents.retrieve_async("pi_missing")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        await rig.stripe.v1.customers.create_async({})


async def test_state_survives_reopening(open_rig: OpenRig) -> None:
    first, second = await open_rig(), await open_rig()
    intent = await authorised(first)
    assert (await second.stripe.v1.payment_intents.capture_async(intent.id)).status == "succeeded"
    assert await first.sandbox.webhook_secret() == await second.sandbox.webhook_secret()


async def create_with_key(rig: Rig, *, key: str, **changes: Any) -> stripe.PaymentIntent:
    return await rig.stripe.v1.payment_intents.create_async(WITH_KEY | changes, {"idempotency_key": key})


async def count_intents(rig: Rig) -> int:
    return len((await rig.stripe.v1.payment_intents.list_async()).data)


async def test_same_key_and_parameters_replay_the_first_result(rig: Rig) -> None:
    first, second = await create_with_key(rig, key="k"), await create_with_key(rig, key="k")
    assert first.to_dict() == second.to_dict()
    assert second.last_response is not None
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert await count_intents(rig) == 1


async def test_replay_returns_the_first_result_after_the_intent_changed(rig: Rig) -> None:
    first = await create_with_key(rig, key="k")
    await rig.stripe.v1.payment_intents.capture_async(first.id)
    assert (await create_with_key(rig, key="k")).status == "requires_capture"


async def test_decline_is_replayed_too(rig: Rig) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await create_with_key(rig, key="k", payment_method="pm_card_visa_chargeDeclined")
    assert await count_intents(rig) == 1


async def test_server_error_is_replayed_and_the_money_stays_reserved(rig: Rig) -> None:
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            await create_with_key(rig, key="k", payment_method="pm_sandbox_serverError")
        assert broken.value.http_status == 500
    [intent] = (await rig.stripe.v1.payment_intents.list_async()).data
    assert intent.status == "requires_capture"


async def test_key_of_other_parameters_is_400(rig: Rig) -> None:
    await create_with_key(rig, key="k")
    with pytest.raises(stripe.IdempotencyError) as refused:
        await create_with_key(rig, key="k", amount=12_001)
    assert refused.value.http_status == 400


async def test_key_of_another_endpoint_is_400(rig: Rig) -> None:
    intent = await create_with_key(rig, key="k")
    with pytest.raises(stripe.IdempotencyError):
        await rig.stripe.v1.payment_intents.capture_async(intent.id, options={"idempotency_key": "k"})


async def test_refused_parameters_do_not_use_the_key_up(rig: Rig) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await create_with_key(rig, key="k", currency="euros")
    assert (await create_with_key(rig, key="k")).status == "requires_capture"


async def test_twin_in_flight_is_409_and_reads_the_result_later(open_rig: OpenRig) -> None:
    rig, other_process = await open_rig(), await open_rig()
    slow = asyncio.create_task(create_with_key(rig, key="k", payment_method="pm_sandbox_slow"))
    await asyncio.sleep(0.1)
    with pytest.raises(stripe.StripeError) as refused:
        await create_with_key(other_process, key="k", payment_method="pm_sandbox_slow")
    assert refused.value.error is not None
    assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
    first = await slow
    assert (await create_with_key(other_process, key="k", payment_method="pm_sandbox_slow")).id == first.id


async def test_32_requests_with_one_key_make_one_intent(open_rig: OpenRig) -> None:
    rigs = [await open_rig(), await open_rig()]
    answers = await asyncio.gather(*(create_with_key(rigs[n % 2], key="k") for n in range(32)), return_exceptions=True)
    made = {answer.id for answer in answers if isinstance(answer, stripe.PaymentIntent)}
    assert len(made) == 1
    assert {getattr(a, "http_status", 200) for a in answers if isinstance(a, BaseException)} <= {409}
    assert await count_intents(rigs[0]) == 1


async def test_lock_of_a_dead_process_lapses_and_its_key_is_taken_over(rig: Rig, clock: TestClock) -> None:
    store = rig.sandbox._store
    fields = {"amount": "12000"}
    dead = await store.write(
        lambda tx: api.claim_key(tx, key="k", endpoint="/v1/x", fields=fields, now=clock.now().timestamp())
    )
    clock.move(seconds=api.LOCK_SECONDS + 1)
    heir = await store.write(
        lambda tx: api.claim_key(tx, key="k", endpoint="/v1/x", fields=fields, now=clock.now().timestamp())
    )
    assert isinstance(dead, api.Claim)
    assert isinstance(heir, api.Claim)
    await store.write(lambda tx: api.require_claim(tx, heir))
    with pytest.raises(Exception, match="in-progress"):
        await store.write(lambda tx: api.require_claim(tx, dead))


async def test_key_is_forgotten_after_a_day(rig: Rig, clock: TestClock) -> None:
    await create_with_key(rig, key="k")
    clock.move(seconds=api.KEPT_SECONDS + 1)
    await create_with_key(rig, key="k")
    assert await count_intents(rig) == 2


async def test_key_that_is_too_long_is_refused(rig: Rig) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        await create_with_key(rig, key="k" * 256)


async def test_rate_limited_request_does_nothing(open_rig: OpenRig) -> None:
    faults = [RequestFault.RATE_LIMITED]
    rig = await open_rig(faults=Faults(on_request=lambda _method, _path: faults.pop() if faults else None))
    with pytest.raises(stripe.RateLimitError):
        await create_with_key(rig, key="k")
    assert await count_intents(rig) == 0
    assert (await create_with_key(rig, key="k")).status == "requires_capture"


async def test_replay_after_an_error_after_commit_returns_the_true_result(open_rig: OpenRig) -> None:
    faults = [RequestFault.ERROR_AFTER_COMMIT]
    rig = await open_rig(faults=Faults(on_request=lambda _method, _path: faults.pop() if faults else None))
    with pytest.raises(stripe.APIError):
        await create_with_key(rig, key="k")
    assert (await create_with_key(rig, key="k")).status == "requires_capture"
    assert await count_intents(rig) == 1


async def test_hanging_answer_is_replayed_after_a_timeout(open_rig: OpenRig) -> None:
    faults = [RequestFault.HANG_AFTER_COMMIT]
    rig = await open_rig(faults=Faults(on_request=lambda _method, _path: faults.pop() if faults else None))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await create_with_key(rig, key="k")
    assert (await create_with_key(rig, key="k")).status == "requires_capture"
    assert await count_intents(rig) == 1
