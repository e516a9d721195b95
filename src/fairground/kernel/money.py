"""Money: integer minor units and an ISO 4217 currency. No float ever holds an amount."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

# ISO 4217 currencies whose minor unit is not a hundredth.
_EXPONENTS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def currency_exponent(currency: str) -> int:
    """Return how many decimal places the currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def minor_from_major(amount: Decimal, currency: str) -> int:
    """Convert 12.5 EUR to 1250, rounding half a minor unit up."""
    return int(amount.scaleb(currency_exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def major_from_minor(amount_minor: int, currency: str) -> Decimal:
    """Convert 1250 EUR to Decimal("12.50"), with the decimal places of the currency."""
    return Decimal(amount_minor).scaleb(-currency_exponent(currency))


def share_of(amount_minor: int, percent: int) -> int:
    """Return `percent` of the amount, rounded down: the remainder stays with the one who gives the share."""
    return amount_minor * percent // 100
