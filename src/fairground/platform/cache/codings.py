"""Content codings: the choice by Accept-Encoding, and encoding a body."""

import gzip
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

IDENTITY: Final = "identity"
BROTLI: Final = "br"
WORTH_CODING_BYTES: Final = 860  # a smaller body fits one packet in any coding

# Levels beyond these cost ten times as much for less than a tenth of the size.
_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        BROTLI: lambda body: bytes(brotli.compress(body, quality=5)),
        "zstd": lambda body: zstd.compress(body, 6),
        "gzip": lambda body: gzip.compress(body, 6, mtime=0),
    }
)
_MEMOISED_MAX_BYTES: Final = 128  # browsers send 40; longer values are not memoised
_PREFERENCE: Final = (*_ENCODERS, IDENTITY)


def encode(body: bytes, coding: str) -> bytes:
    return body if coding == IDENTITY else _ENCODERS[coding](body)


def decode_brotli(body: bytes) -> bytes:
    """Decode a body.

    Raises:
        ValueError: The bytes are not brotli's.
    """
    try:
        return bytes(brotli.decompress(body))
    except brotli.error as error:
        raise ValueError("These bytes are not brotli's.") from error


def choose_coding(accept_encoding: bytes, *, size_bytes: int) -> str | None:
    """Return the coding of the response, or None when the client accepts none that we have (RFC 9110 §12.5.3).

    Of several with the greatest weight, the first of `_PREFERENCE` is used; a small body is sent as it is if possible.
    """
    is_small = size_bytes < WORTH_CODING_BYTES
    choose = _choose_memoised if len(accept_encoding) <= _MEMOISED_MAX_BYTES else _choose
    return choose(accept_encoding, is_small)


def _choose(accept_encoding: bytes, is_small: bool) -> str | None:  # noqa: FBT001 - for lru_cache
    weights = _parse_weights(accept_encoding)
    rest = weights.get("*")
    acceptable: dict[str, float] = {}
    for coding in _PREFERENCE:
        # A coding that is not named is acceptable if "*" is, and the identity unless "*" refuses it.
        weight = weights.get(coding, (1.0 if rest is None else rest) if coding == IDENTITY else rest or 0.0)
        if weight > 0:
            acceptable[coding] = weight
    if IDENTITY in acceptable and is_small:
        return IDENTITY
    if IDENTITY in acceptable and IDENTITY not in weights and len(acceptable) > 1:
        # The identity is acceptable but not named, so the named codings come first.
        del acceptable[IDENTITY]
    return max(acceptable, key=lambda coding: acceptable[coding], default=None)


_choose_memoised = lru_cache(maxsize=256)(_choose)


def _parse_weights(accept_encoding: bytes) -> dict[str, float]:
    weights: dict[str, float] = {}
    for entry in accept_encoding.decode("latin-1").lower().split(","):
        coding, *parameters = (part.strip() for part in entry.split(";"))
        if coding:
            weights["gzip" if coding == "x-gzip" else coding] = _weight(parameters)
    return weights


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
