"""Reads numbers and dates in addresses leniently, because people edit and share them."""

from datetime import date


def read_number(value: object, *, most: int) -> int | None:
    """Return the number that stands there, cut to `most`; None when it is none."""
    text = "" if value is None else str(value).strip()
    # isdecimal alone also takes digits of other scripts, which int() reads as well.
    return min(int(text[:12]), most) if text.isdecimal() else None


def read_date(value: object) -> date | None:
    """Return the date that stands there as "2026-12-03", or in another way of ISO 8601; None when it is none."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
