"""What shows through where a picture lets something through.

The same opaque picture in every format: a logo that is transparent in WebP and white in JPEG would be two pictures,
and one of them wrong on a dark page.
"""

from typing import Final

WHITE: Final = 255
_DARK: Final = 34
_NEARLY_WHITE: Final = 200


def backdrop_for(*, mean_luminance: float) -> int:
    """Return the grey that a picture stands out from: white, unless what is drawn is itself nearly white.

    Args:
        mean_luminance: Of what is drawn, 0 to 255, weighted by how opaque it is.
    """
    return _DARK if mean_luminance > _NEARLY_WHITE else WHITE
