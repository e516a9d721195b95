"""Money: integer minor units and an ISO 4217 currency, and the one table of currencies. No float holds an amount."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

# ISO 4217 list one, published 2026-01-01 by SIX, the maintenance agency: the codes that countries pay with, by the
# number of decimal places. Left out are funds codes (CLF, UYW …), XAD, metals, bonds and the codes for tests.
_ISO_4217: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP"
    " CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES"
    " KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK"
    " NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB"
    " TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
# Codes above that the card processor does not take. Source: the list in Stripe's own answer to a currency that it does
# not know ("Stripe currently supports these currencies: usd, aed, …"), read in 2026-11.
_NOT_AT_STRIPE: Final = frozenset("BTN CUP ERN GHS IQD IRR KPW LYD MRU SDG SSP STN SVC SYP TMT VED VES XCG ZWG".split())
# Where Stripe counts in other units than ISO 4217 (docs.stripe.com/currencies, read in 2026-11): the ariary has no
# decimals there; the krona and the Ugandan shilling have none any more, but are still sent with two, which are zero.
_EXPONENT_AT_STRIPE: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
# The last of three decimals must be 0 at Stripe (same page, "Three-decimal currencies").
_STEP_OF_THREE_DECIMALS: Final = 10
# HUF and TWD are charged with two decimals; only payouts of them must be whole, and there are no payouts here.

# Decimals of an unknown currency. Old bookings keep currencies that were withdrawn since, and those that Stripe took
# (ANG, BGN, HRK) had two.
_WITHDRAWN_EXPONENT: Final = 2

# ASCII digits only: int() and Decimal() also read 1_000, 1e3 and the digits of every other script.
_NUMBER: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_MAX_LENGTH: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Currency:
    """A currency of ISO 4217 as people write it, and as the card processor counts it."""

    code: str
    exponent: int
    """Decimal places by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD. A minor unit is the last of them."""
    is_chargeable: bool
    """Whether the card processor takes it."""
    processor_exponent: int
    """Decimal places of the unit that the processor counts in."""
    step_minor: int
    """Every amount that is charged or refunded must be a multiple of this, in minor units."""

    @property
    def example(self) -> str:
        """Return an amount as it is written in this currency, such as "1250.50"."""
        return str(major_from_minor(1250_50 * 10**self.exponent // 100 // self.step_minor * self.step_minor, self.code))


class AmountInvalid(ValueError):
    """Text that is no amount of the currency; `hint` says what to write instead."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def _currency(code: str, exponent: int) -> Currency:
    at_processor = _EXPONENT_AT_STRIPE.get(code, exponent)
    # Where the processor has fewer decimals, what it lacks must be zero.
    step_minor = 10 ** max(exponent - at_processor, 0)
    if exponent == 3:  # noqa: PLR2004 - the places of a dinar
        step_minor = _STEP_OF_THREE_DECIMALS
    return Currency(
        code=code,
        exponent=exponent,
        is_chargeable=code not in _NOT_AT_STRIPE,
        processor_exponent=at_processor,
        step_minor=step_minor,
    )


CURRENCIES: Final[dict[str, Currency]] = {
    code: _currency(code, exponent)
    for code, exponent in sorted((code, places) for places, codes in _ISO_4217.items() for code in codes.split())
}


def chargeable_currencies() -> Iterator[Currency]:
    """Return the currencies that an installation can use, by code."""
    return (currency for currency in CURRENCIES.values() if currency.is_chargeable)


def find_currency(code: str) -> Currency:
    """Return a currency of the table; one that was withdrawn has two decimals."""
    known = CURRENCIES.get(code)
    return known or Currency(
        code=code,
        exponent=_WITHDRAWN_EXPONENT,
        is_chargeable=False,
        processor_exponent=_WITHDRAWN_EXPONENT,
        step_minor=1,
    )


def currency_exponent(currency: str) -> int:
    """Return how many decimal places the currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return find_currency(currency).exponent


def read_amount(text: str, currency: str) -> int:
    """Return the minor units of an amount that a person wrote: "12.50" in EUR is 1250. Never rounds.

    Raises:
        AmountInvalid: The text is no plain number, or has more decimal places than the currency, zeros included:
            "1.250" may be meant as a thousand and a quarter of it.
    """
    known = find_currency(currency)
    number = _NUMBER.fullmatch(text.strip())
    if number is None and _NUMBER.fullmatch(text.strip().removeprefix("-")):
        raise AmountInvalid(f"{text} is below zero", f"write it like {known.example}")
    if number is None or len(text) > _MAX_LENGTH:
        raise AmountInvalid(f"{text!r} is not a number", f"write it like {known.example}, without other characters")
    whole, decimals = number[1], number[2] or ""
    if len(decimals) > known.exponent:
        raise AmountInvalid(f"{text} has too many decimals for {currency}", f"write it like {known.example}")
    amount_minor = int(whole + decimals.ljust(known.exponent, "0"))
    require_step(amount_minor, currency)
    return amount_minor


def require_step(amount_minor: int, currency: str) -> None:
    """Refuse an amount that the card processor cannot charge.

    Raises:
        AmountInvalid: It is not a multiple of the currency's step, such as half an ariary.
    """
    step_minor = find_currency(currency).step_minor
    if amount_minor % step_minor:
        raise AmountInvalid(
            f"{major_from_minor(amount_minor, currency)} {currency} cannot be charged by card",
            f"write a multiple of {major_from_minor(step_minor, currency)}",
        )


def minor_from_major(amount: Decimal, currency: str) -> int:
    """Convert 12.5 EUR to 1250. Never rounds.

    Raises:
        AmountInvalid: The amount has more decimal places than the currency.
    """
    minor = amount.scaleb(currency_exponent(currency))
    if minor != minor.to_integral_value():
        raise AmountInvalid(f"{amount} has too many decimals for {currency}", "leave them out")
    return int(minor)


def major_from_minor(amount_minor: int, currency: str) -> Decimal:
    """Convert 1250 EUR to Decimal("12.50"), with the decimal places of the currency."""
    return Decimal(amount_minor).scaleb(-currency_exponent(currency))


def _units(exponent: int) -> int:
    return int(10**exponent)


def processor_amount(amount_minor: int, currency: str) -> int:
    """Return the amount in the unit that the card processor counts in: 5 ISK is 500, 100000 MGA (1,000 Ar) is 1000.

    Raises:
        AmountInvalid: The processor cannot count it.
    """
    require_step(amount_minor, currency)
    known = find_currency(currency)
    return amount_minor * _units(known.processor_exponent) // _units(known.exponent)


def amount_from_processor(amount: int, currency: str) -> int:
    """Return the minor units of an amount of the card processor, the reverse of `processor_amount`.

    Raises:
        AmountInvalid: It is a fraction of a minor unit.
    """
    known = find_currency(currency)
    amount_minor, rest = divmod(amount * _units(known.exponent), _units(known.processor_exponent))
    if rest:
        raise AmountInvalid(f"{amount} is a fraction of a minor unit of {currency}", "look at it at the processor")
    return amount_minor


def share_of(amount_minor: int, percent: int, *, step_minor: int = 1) -> int:
    """Return `percent` of the amount, rounded down to the step; the remainder stays with the payer of the share."""
    return amount_minor * percent // (100 * step_minor) * step_minor
