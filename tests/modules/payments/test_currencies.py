"""In every currency that is offered, what is shown, written, charged and given back is the same amount."""

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import stripe
from babel import Locale

from fairground.contracts.payments import AmountNotChargeable, PaymentStatus
from fairground.kernel.money import (
    CURRENCIES,
    Currency,
    chargeable_currencies,
    currency_exponent,
    find_currency,
    major_from_minor,
    read_amount,
    share_of,
)
from fairground.platform.locale_formatter import LocaleFormatter
from fairground.sandbox.stripe.cards import format_amount
from fairground.web.formats import Formats
from tests.modules.payments.market import Market
from tests.sandbox.stripe.clients import AppHTTPClient
from tests.support.proofs import Dose

OFFERED = list(chargeable_currencies())


def odd_price_minor(currency: Currency) -> int:
    """Return a price that uses every decimal place that the processor can charge."""
    return 1_234_567 // currency.step_minor * currency.step_minor


def number_in(shown: str, currency: Currency) -> str:
    """Return the number of an amount as a page shows it, without the sign of its currency."""
    number = re.search(r"[0-9][0-9,.]*", shown)
    assert number is not None, (shown, currency)
    return number[0].replace(",", "")


@pytest.mark.parametrize("code", sorted(CURRENCIES))
def test_amount_that_is_shown_reads_back_as_the_same_minor_units(code: str) -> None:
    currency, formats = CURRENCIES[code], Formats(Locale.parse("en_GB"))
    for amount_minor in (currency.step_minor, odd_price_minor(currency), 100_000_000):
        for shown in (formats.money(amount_minor, code), formats.price(amount_minor, code)):
            assert read_amount(number_in(shown, currency), code) == amount_minor, shown


@pytest.mark.parametrize("code", sorted(CURRENCIES))
def test_amount_is_shown_with_the_decimals_of_iso_4217(code: str) -> None:
    shown = number_in(LocaleFormatter(Locale.parse("en_GB")).money(1_250_000, code), CURRENCIES[code])
    assert len(shown.partition(".")[2]) == currency_exponent(code)


@pytest.mark.proof
async def test_every_offered_currency_is_charged_and_given_back_to_the_minor_unit(market: Market, dose: Dose) -> None:
    assert len(OFFERED) > 130
    sdk = stripe.StripeClient(await market.sandbox.api_key(), http_client=AppHTTPClient(market.sandbox.api))
    # At a small dose those that differ from the usual two decimals and step of one, and a few of the others.
    unlike = [currency for currency in OFFERED if (currency.exponent, currency.step_minor) != (2, 1)]
    for currency in dose(small=[*unlike, *map(find_currency, ("EUR", "USD", "HUF", "TWD", "RSD"))], full=OFFERED):
        await _charge_and_refund(market, sdk, currency)


async def _charge_and_refund(market: Market, sdk: stripe.StripeClient, currency: Currency) -> None:
    reference_id, price_minor = uuid4(), odd_price_minor(currency)
    values: dict[str, Any] = {"payment_method": "pm_card_visa", "return_url": "http://shop.test/return"}
    await market.payments.authorise(
        reference_id=reference_id, payer_id=uuid4(), amount_minor=price_minor, currency=currency.code, **values
    )
    paid = await market.payments.capture(reference_id=reference_id)
    assert (paid.status, paid.captured_minor) == (PaymentStatus.CAPTURED, price_minor), currency

    intent = (await sdk.v1.payment_intents.list_async({"limit": 1})).data[0]
    assert intent.metadata.to_dict() == {"payment_id": str(paid.id)}
    assert intent.currency == currency.code.lower()
    assert _written(intent.amount_received, currency) == major_from_minor(price_minor, currency.code)

    half_minor = share_of(price_minor, 50, step_minor=currency.step_minor)
    await market.payments.refund(reference_id=reference_id, amount_minor=half_minor, key="half")
    known = await market.payments.refund(reference_id=reference_id, amount_minor=price_minor - half_minor, key="rest")
    assert known.refunded_minor == price_minor
    refunds = (await sdk.v1.refunds.list_async({"payment_intent": intent.id})).data
    given_back = [_written(refund.amount, currency) for refund in reversed(refunds)]
    assert given_back == [major_from_minor(part, currency.code) for part in (half_minor, price_minor - half_minor)]


def _written(amount: int, currency: Currency) -> Decimal:
    return Decimal(format_amount(amount, currency.code.lower()))


@pytest.mark.parametrize(
    ("amount_minor", "currency"), [(100_050, "MGA"), (5_124, "KWD"), (1_000, "IRR"), (1_000, "ZZZ")]
)
async def test_unchargeable_amount_is_refused_without_a_call(market: Market, amount_minor: int, currency: str) -> None:
    with pytest.raises(AmountNotChargeable):
        await market.payments.authorise(
            reference_id=uuid4(),
            payer_id=uuid4(),
            amount_minor=amount_minor,
            currency=currency,
            payment_method="pm_card_visa",
            return_url="http://shop.test/return",
        )
    assert await market.intents() == []


@pytest.mark.parametrize(
    ("amount", "currency", "param"),
    [
        (1000, "zzz", "currency"),
        (1000, "irr", "currency"),
        (550, "isk", "amount"),
        (150, "ugx", "amount"),
        (5124, "kwd", "amount"),
        (1001, "bhd", "amount"),
    ],
)
async def test_sandbox_refuses_what_stripe_refuses(market: Market, amount: int, currency: str, param: str) -> None:
    sdk = stripe.StripeClient(await market.sandbox.api_key(), http_client=AppHTTPClient(market.sandbox.api))
    with pytest.raises(stripe.InvalidRequestError) as raised:
        await sdk.v1.payment_intents.create_async({"amount": amount, "currency": currency})
    assert raised.value.param == param


@pytest.mark.parametrize(("amount_minor", "currency", "shown"), [(5, "ISK", "5 ISK"), (100_000, "MGA", "1000 MGA")])
async def test_bank_page_of_the_sandbox_shows_the_amount_that_is_charged(
    market: Market, amount_minor: int, currency: str, shown: str
) -> None:
    payment = await market.payments.authorise(
        reference_id=uuid4(),
        payer_id=uuid4(),
        amount_minor=amount_minor,
        currency=currency,
        payment_method="pm_card_authenticationRequired",
        return_url="http://shop.test/return",
    )
    assert payment.action_url is not None
    assert shown in (await market.open_page(payment.action_url)).text
