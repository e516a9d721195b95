"""The routes of `/v1`, called through Stripe's own client."""

from typing import Any, Final

import pytest
import stripe

from tests.sandbox.stripe.clients import OpenRig, Rig, TestClock

EUR: Final[Any] = {"amount": 12_000, "currency": "eur", "payment_method_types": ["card"]}
MANUAL: Final[Any] = EUR | {"capture_method": "manual", "payment_method": "pm_card_visa", "confirm": True}


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
