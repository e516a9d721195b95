"""Money keeps every minor unit, in every currency of the table."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.kernel.money import (
    CURRENCIES,
    AmountInvalid,
    amount_from_processor,
    chargeable_currencies,
    currency_exponent,
    find_currency,
    major_from_minor,
    minor_from_major,
    processor_amount,
    read_amount,
    require_step,
    share_of,
)
from fairground.sandbox.stripe.cards import SUPPORTED_CURRENCIES

CHARGEABLE = [currency.code for currency in chargeable_currencies()]


def test_every_currency_that_is_offered_is_one_that_stripe_takes() -> None:
    assert len(CHARGEABLE) > 130
    assert {code.lower() for code in CHARGEABLE} <= set(SUPPORTED_CURRENCIES)
    # What Stripe lists besides was withdrawn from ISO 4217.
    assert {code.upper() for code in SUPPORTED_CURRENCIES} - set(CHARGEABLE) == {"ANG", "BGN", "HRK", "STD"}


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("EUR", 2),
        ("RSD", 2),
        ("ALL", 2),
        ("LBP", 2),
        ("MGA", 2),
        ("IRR", 2),
        ("AFN", 2),
        ("MMK", 2),
        ("COP", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("UGX", 0),
        ("ISK", 0),
        ("KWD", 3),
        ("IQD", 3),
        ("HUF", 2),
        ("TWD", 2),
    ],
)
def test_currency_has_the_decimals_of_iso_4217(code: str, exponent: int) -> None:
    assert currency_exponent(code) == exponent


@pytest.mark.parametrize("code", ["ZZZ", "CLF", "XAU", "XTS", "UYW", "BGN", "eur", ""])
def test_codes_that_no_country_pays_with_are_not_in_the_table(code: str) -> None:
    assert code not in CURRENCIES


@pytest.mark.parametrize(
    ("amount_minor", "currency", "at_processor"),
    [
        (5, "ISK", 500),
        (5, "UGX", 500),
        (100000, "MGA", 1000),
        (5120, "KWD", 5120),
        (500, "JPY", 500),
        (1045, "HUF", 1045),
        (80045, "TWD", 80045),
        (1250, "EUR", 1250),
    ],
)
def test_processor_counts_in_its_own_unit(amount_minor: int, currency: str, at_processor: int) -> None:
    assert processor_amount(amount_minor, currency) == at_processor
    assert amount_from_processor(at_processor, currency) == amount_minor


@pytest.mark.parametrize(("amount_minor", "currency"), [(100_050, "MGA"), (5_124, "KWD"), (1, "BHD"), (99, "MGA")])
def test_amount_that_the_processor_cannot_count_is_refused(amount_minor: int, currency: str) -> None:
    for refuse in (require_step, processor_amount):
        with pytest.raises(AmountInvalid, match="cannot be charged by card"):
            refuse(amount_minor, currency)


@pytest.mark.parametrize(("amount", "currency"), [(550, "ISK"), (1, "UGX")])
def test_fraction_of_a_minor_unit_is_never_rounded_away(amount: int, currency: str) -> None:
    with pytest.raises(AmountInvalid):
        amount_from_processor(amount, currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        (" 7 ", "EUR", 700),
        ("1250", "JPY", 1250),
        ("5.12", "KWD", 5120),
        ("0012", "EUR", 1200),
        ("1250.50", "RSD", 125050),
        ("1000", "MGA", 100000),
        ("0", "EUR", 0),
    ],
)
def test_written_amount_becomes_its_minor_units(text: str, currency: str, minor: int) -> None:
    assert read_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.250", "EUR"), ("12.345", "EUR"), ("12.500", "EUR"), ("79.50", "JPY"), ("5.0", "KRW"), ("1.2345", "KWD")],
)
def test_amount_with_more_decimals_than_its_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountInvalid, match=f"too many decimals for {currency}"):
        read_amount(text, currency)


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "1E3",
        "1_000",
        "\uff11\uff12",
        "٣٠",
        "१२",
        "12,50",
        "1,250.00",
        "1 250",
        "1\xa0250",
        "+5",
        "NaN",
        "inf",
        "Infinity",
        "0x10",
        ".5",
        "5.",
        "",
        "€5",
        "5 EUR",
        "²",
        "1.2.3",
        "9" * 41,
        "12\n.5",
    ],
)
def test_text_that_is_no_plain_number_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(AmountInvalid, match="is not a number") as raised:
        read_amount(text, "EUR")
    assert raised.value.hint == "write it like 1250.50, without other characters"


@pytest.mark.parametrize("code", CHARGEABLE)
def test_example_of_a_currency_can_be_read_in_it(code: str) -> None:
    assert read_amount(find_currency(code).example, code) > 0


def test_withdrawn_currency_of_an_old_booking_still_has_its_decimals() -> None:
    assert major_from_minor(1_250, "BGN") == Decimal("12.50")


@pytest.mark.parametrize(("amount", "currency", "minor"), [("12.5", "EUR", 1250), ("1200", "JPY", 1200)])
def test_major_units_become_the_minor_units_of_their_currency(amount: str, currency: str, minor: int) -> None:
    assert minor_from_major(Decimal(amount), currency) == minor


@pytest.mark.parametrize(("amount", "currency"), [("0.005", "EUR"), ("1.2345", "KWD"), ("0.5", "JPY")])
def test_major_units_are_never_rounded(amount: str, currency: str) -> None:
    with pytest.raises(AmountInvalid, match="too many decimals"):
        minor_from_major(Decimal(amount), currency)


@given(st.integers(0, 10**15), st.sampled_from(sorted(CURRENCIES)))
def test_minor_units_survive_the_way_there_and_back(minor: int, currency: str) -> None:
    assert minor_from_major(major_from_minor(minor, currency), currency) == minor


@given(st.integers(0, 10**13), st.integers(0, 100), st.sampled_from(CHARGEABLE))
def test_share_of_a_price_is_never_more_and_can_be_given_back(units: int, percent: int, code: str) -> None:
    step_minor = find_currency(code).step_minor
    amount_minor = units * step_minor
    share = share_of(amount_minor, percent, step_minor=step_minor)
    assert 0 <= share <= amount_minor * percent / 100
    assert share_of(amount_minor, 0, step_minor=step_minor) == 0
    assert share_of(amount_minor, 100, step_minor=step_minor) == amount_minor
    require_step(share, code)


def test_amount_below_zero_is_refused_as_such() -> None:
    with pytest.raises(AmountInvalid, match="-5 is below zero"):
        read_amount("-5", "EUR")
