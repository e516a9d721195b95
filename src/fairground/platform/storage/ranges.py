"""The Range header of a request (RFC 9110 §14), as far as one part of an object is asked for."""

import re
from typing import Final

from fairground.platform.storage.store import Span

_ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(Exception):
    """No byte of the object is asked for."""


def read_range(header: str | None, *, size_bytes: int) -> Span | None:
    """Return the part that is asked for, within the object; None is all of it, as for what cannot be understood.

    Raises:
        Unsatisfiable: The object ends before that part.
    """
    found = _ONE_RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    last = size_bytes - 1
    if not found[1]:
        length = int(found[2])
        if not length or not size_bytes:
            raise Unsatisfiable
        return Span(max(0, size_bytes - length), last)
    span = Span(int(found[1]), min(int(found[2]), last) if found[2] else last)
    if found[2] and int(found[2]) < span.first:
        return None
    if span.first > last:
        raise Unsatisfiable
    return span
