"""Which format answers a request."""

from typing import Final

# In the order in which they are preferred where a browser likes several equally.
_FORMATS: Final = ("avif", "webp", "jpeg")


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
