"""Monograms: initials on a colour, in place of a portrait.

The renderer takes a monogram's source as it takes a photo, so that it comes in every size and format. The font has the
letters of five scripts; a name in another one is drawn as a figure.
"""

import colorsys
import hashlib
import unicodedata
from typing import Final

MONOGRAM_MAGIC: Final = b"monogram 1 "
"""The beginning of a source. Admission refuses an uploaded file that begins so, as no picture."""

_CONTRAST: Final = 4.5  # WCAG 2.2 AA for text; ours is large and would need only 3
_SATURATION: Final = 0.45
# Scripts with capitals, in which people use two initials; in the others one sign is enough, or already a name.
_BICAMERAL: Final = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN")
_VIRAMA: Final = 9  # the combining class of the sign that binds the next letter to this one
_JOINER: Final = "\u200d"


def monogram(name: str, *, seed: str) -> bytes:
    """Return the source from which the renderer draws the monogram of a name.

    Args:
        seed: Decides the colour, such as an id, so that a new name keeps it.
    """
    return MONOGRAM_MAGIC + f"{colour_of(seed)} {initials(name)}".encode()


def initials(name: str) -> str:
    """Return one or two initials of a name, in its own script; none if it has no letters."""
    words = [sign for word in unicodedata.normalize("NFC", name).split() if (sign := _first_sign(word))]
    if not words:
        return ""
    first, last = words[0], words[-1]
    if len(words) > 1 and _is_bicameral(first) and _is_bicameral(last):
        return _capital(first) + _capital(last)
    return _capital(first)


def colour_of(seed: str) -> str:
    """Return a colour, as `#rrggbb`, on which white text can be read."""
    hue = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=2).digest()) / 65_536
    lightness = 0.5
    while (contrast_with_white(colour := _colour(hue, lightness))) < _CONTRAST:
        lightness -= 0.01
    return colour


def contrast_with_white(colour: str) -> float:
    """Return WCAG's ratio between white and a colour."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB's curve
        for channel in channels
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _colour(hue: float, lightness: float) -> str:
    red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, lightness, _SATURATION))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _first_sign(word: str) -> str:
    """Return the first letter or digit of a word with its marks, as its readers would write it alone."""
    start = next((at for at, sign in enumerate(word) if unicodedata.category(sign)[0] in "LN"), None)
    if start is None:
        return ""
    end = start + 1
    while end < len(word) and (_is_mark(word[end]) or _is_bound(word, end)):
        end += 1
    return word[start:end].rstrip(_JOINER)


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "M" or sign == _JOINER


def _is_bound(word: str, at: int) -> bool:
    before = word[at - 1] if word[at - 1] != _JOINER else word[at - 2]
    return unicodedata.combining(before) == _VIRAMA and unicodedata.category(word[at])[0] == "L"


def _is_bicameral(sign: str) -> bool:
    return unicodedata.name(sign[0], "").startswith(_BICAMERAL)


def _capital(sign: str) -> str:
    capital = sign.upper()
    # ß would become two letters, and Georgian capitals are for whole headlines.
    if len(capital) != len(sign) or unicodedata.name(sign[0], "").startswith("GEORGIAN"):
        return sign
    return capital
