"""Numbers as a file writes them: 1250.50, or 1.250,50 where the map says so."""

import re
from dataclasses import dataclass
from decimal import Decimal

from fairground.kernel.money import find_currency
from fairground.ops.imports.records import RowFault
from fairground.ops.imports.services import read_price_minor


@dataclass(frozen=True)
class NumberFormat:
    """The separators of a file's numbers."""

    decimal: str = "."
    thousands: str = ""
    """Between groups of three digits, where there are any; "" allows none."""

    def read_decimal(self, text: str, *, column: str, least: int, most: int) -> Decimal:
        """Raise RowFault when the text is no number, or out of its range."""
        number = Decimal(self._plain(text, column=column, example="1250 or 1250.50"))
        if not least <= number <= most:
            raise RowFault(column, f"{text} is out of range", f"it must be from {least} to {most}")
        return number

    def read_price_minor(self, text: str, *, currency: str, column: str) -> int:
        """Raise RowFault when the text is no price."""
        plain = self._plain(text, column=column, example=find_currency(currency).example)
        try:
            return read_price_minor(plain, currency=currency, column=column)
        except RowFault as fault:
            reason, hint = fault.reason.replace(plain, text), fault.hint.replace(".", self.decimal)
            raise RowFault(column, reason, hint) from None

    def _plain(self, text: str, *, column: str, example: str) -> str:
        """Return a number as the program writes it; raise RowFault when the text is none."""
        # Groups are three digits, so that 1.5 is no fifteen where a full stop divides thousands. Only ASCII: Decimal()
        # also reads 1_000, 1e3 and the digits of every other script.
        grouped = rf"[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}}){{1,9}}|" if self.thousands else ""
        number = rf"([+-]?)({grouped}[0-9]{{1,30}})(?:{re.escape(self.decimal)}([0-9]{{1,30}}))?"
        found = re.fullmatch(number, text)
        if found is None:
            hint = f"write it like {example.replace('.', self.decimal)}, without other characters"
            raise RowFault(column, f"{text!r} is not a number", hint)
        sign, whole, decimals = found.groups()
        whole = whole.replace(self.thousands, "") if self.thousands else whole
        return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
