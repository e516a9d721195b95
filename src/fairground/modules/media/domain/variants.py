"""Which of a few hundred variants of a picture answers a request: any size and quality is brought to a step."""

from bisect import bisect_left
from typing import Final

WIDTH_MIN_PX: Final = 16
WIDTH_MAX_PX: Final = 2048
QUALITY_MIN: Final = 40
QUALITY_MAX: Final = 95
DENSITY_MAX: Final = 3
AVATAR_MAX_PX: Final = 1024

# Half as wide again from step to step at most, so that nobody loads many more pixels than they see.
LADDER_PX: Final = (32, 48, 64, 96, 128, 192, 256, 320, 400, 512, 640, 800, 1024, 1200, 1600, 2048)
_QUALITY_STEP: Final = 5
# In the order in which they are preferred where a browser likes several equally.
_FORMATS: Final = ("avif", "webp", "jpeg")


def step_width(width_px: float, *, source_px: int) -> int:
    """Return the narrowest step that has all the pixels: those that are asked for, or that there are."""
    wanted = min(width_px, source_px, WIDTH_MAX_PX)
    return LADDER_PX[bisect_left(LADDER_PX, wanted)]


def step_quality(quality: int) -> int:
    return -(-quality // _QUALITY_STEP) * _QUALITY_STEP


def choose_format(accept: str) -> str:
    """Return the format that an Accept header likes best; the newest of those that it likes equally.

    AVIF and WebP must be named: whoever takes anything, such as a program for mail, may know neither. JPEG is
    what is left.
    """
    likes = dict(_likes(part) for part in accept.split(","))
    jpeg = next((likes[name] for name in ("image/jpeg", "image/*", "*/*") if name in likes), 0.0)
    liked = {"avif": likes.get("image/avif", 0.0), "webp": likes.get("image/webp", 0.0), "jpeg": jpeg}
    best = max(_FORMATS, key=lambda name: liked[name])
    return best if liked[best] > 0 else "jpeg"


def _likes(part: str) -> tuple[str, float]:
    """Return a media type, and how much it is liked, from 0 to 1."""
    name, *parameters = (word.strip() for word in part.lower().split(";"))
    weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, min(1.0, max(0.0, float(weight)))
    except ValueError:
        return name, 0.0
