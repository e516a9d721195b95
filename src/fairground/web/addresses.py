"""Reads numbers in addresses leniently, because people edit and share them."""


def read_number(value: object, *, most: int) -> int | None:
    """Return the number that stands there, cut to `most`; None when it is none."""
    text = "" if value is None else str(value).strip()
    # isdecimal alone also takes digits of other scripts, which int() reads as well.
    return min(int(text[:12]), most) if text.isdecimal() else None
