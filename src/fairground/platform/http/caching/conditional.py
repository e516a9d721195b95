"""Conditional requests (RFC 9110 §13.1.2): does the client have this already?"""

import re
from typing import Final

_ENTITY_TAG: Final = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def is_known(if_none_match: bytes, *, etag: bytes) -> bool:
    """Return whether the header names the entity tag, by weak comparison; `*` names every one there is."""
    if if_none_match == etag or if_none_match.strip() == b"*":
        return True
    return etag in _ENTITY_TAG.findall(if_none_match)
