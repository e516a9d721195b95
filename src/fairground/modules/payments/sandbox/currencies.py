"""Which currencies and amounts Stripe takes.

The lists come from Stripe's pages and not from the table of the marketplace: a fake that read that table could not show
where the table is wrong.

Sources: docs.stripe.com/currencies (zero-decimal, three-decimal, special cases; read in 2026-11), and for the codes
Stripe's own answer to a currency that it does not know.
"""

from decimal import Decimal
from typing import Final

from fairground.modules.payments.sandbox import errors

SUPPORTED: Final = tuple(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf"
    " clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr"
    " ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr"
    " mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd"
    " shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar"
    " zmw".split()
)
# The page lists ugx here as well; its special case is what counts for a charge.
ZERO_DECIMAL: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())
WHOLE_IN_HUNDREDTHS: Final = frozenset({"isk", "ugx"})


def require_amount(amount: int, currency: str) -> None:
    """Refuse what Stripe cannot charge or give back.

    Raises:
        StripeError: 400, as Stripe says it.
    """
    if currency not in SUPPORTED:
        message = f"Invalid currency: {currency}. Stripe currently supports these currencies: {', '.join(SUPPORTED)}"
        raise errors.invalid(message, param="currency")
    if currency in WHOLE_IN_HUNDREDTHS and amount % 100:
        raise errors.invalid(f"Invalid amount: {currency} has no decimals, so the last two are 00.", param="amount")
    if currency in THREE_DECIMAL and amount % 10:
        raise errors.invalid(f"Invalid amount: in {currency} the last digit must be 0.", param="amount")


def written(amount: int, currency: str) -> str:
    """Return an amount as Stripe counts it the way people write it: 500 isk is "5", 1099 usd is "10.99"."""
    if currency in WHOLE_IN_HUNDREDTHS:
        return str(amount // 100)
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{Decimal(amount).scaleb(-places):f}"
