"""`data:` addresses, in which other systems keep whole pictures."""

import binascii
from base64 import b64decode
from urllib.parse import unquote_to_bytes

SCHEME = "data:"


def content_of(address: str) -> bytes:
    """Return the file that an address holds.

    Where that cannot be read, return the address itself: whoever judges pictures says that it is none.
    """
    head, comma, body = address.partition(",")
    if not comma:
        return address.encode()
    if not head.lower().endswith(";base64"):
        return unquote_to_bytes(body)
    written = b"".join(unquote_to_bytes(body).split())
    try:
        # Some programs leave out what fills up the last group.
        return b64decode(written + b"=" * (-len(written) % 4), validate=True) or address.encode()
    except binascii.Error:
        return address.encode()
