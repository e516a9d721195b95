"""The HTTP side of the image proxy: the sizes that can be asked for, the choice of a format, and request counts."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPMethod, HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from fairground.kernel.errors import Invalid, NotFound, Unavailable
from fairground.platform.images.recipes import (
    AVATAR_MAX_PX,
    DENSITY_MAX,
    QUALITY_MAX,
    QUALITY_MIN,
    WIDTH_MAX_PX,
    WIDTH_MIN_PX,
)
from fairground.platform.measures import Counted, Measure

# In the order of preference where a browser accepts several equally.
_FORMATS: Final = ("avif", "webp", "jpeg")
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}

IMAGE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {f"image/{name}": _BINARY for name in _FORMATS},
    },
    302: {"description": "A CDN has it, or the picture is a drawing with an address of its own."},
    304: {"description": "You have it already."},
    503: {"description": "Too many pictures are being made; `Retry-After` says when to ask again."},
}


class Format(StrEnum):
    AUTO = "auto"
    """The best one that the Accept header names: AVIF before WebP before JPEG."""
    AVIF = "avif"
    WEBP = "webp"
    JPEG = "jpeg"


class ImageQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    w: int = Field(800, ge=WIDTH_MIN_PX, le=WIDTH_MAX_PX, description="Width in CSS pixels.")
    dpr: float = Field(1, ge=1, le=DENSITY_MAX, description="Pixels of the screen to a CSS pixel.")
    q: int = Field(85, ge=QUALITY_MIN, le=QUALITY_MAX, description="Quality, on the scale of JPEG.")
    fmt: Format = Format.AUTO
    v: str = Field("", max_length=64, description="The version, from the picture's `url`: the answer is kept for ever.")


class AvatarQuery(ImageQuery):
    w: int = Field(512, ge=WIDTH_MIN_PX, le=AVATAR_MAX_PX, description="Width in CSS pixels.")
    v: str = Field("", max_length=64, description="The version, from `profile_picture_url`: it is kept for ever.")


def choose_format(accept: str) -> str:
    """Return the format that an Accept header prefers; the newest of those with equal weight.

    AVIF and WebP must be named: a wildcard comes from programs, such as mail readers, that may support neither. JPEG
    is the fallback.
    """
    weights = dict(_read_preference(part) for part in accept.split(","))
    jpeg = next((weights[name] for name in ("image/jpeg", "image/*", "*/*") if name in weights), 0.0)
    weight_of = {"avif": weights.get("image/avif", 0.0), "webp": weights.get("image/webp", 0.0), "jpeg": jpeg}
    best = max(_FORMATS, key=lambda name: weight_of[name])
    return best if weight_of[best] > 0 else "jpeg"


def _read_preference(part: str) -> tuple[str, float]:
    """Return a media type with its weight, from 0 to 1."""
    name, *parameters = (word.strip() for word in part.lower().split(";"))
    weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, min(1.0, max(0.0, float(weight)))
    except ValueError:
        return name, 0.0


class ImageOutcome(StrEnum):
    """How a request for a picture ended."""

    KEPT = "kept"
    """With a stored file."""
    RENDERED = "rendered"
    """With a file that was rendered for this request, or for a concurrent one."""
    NOT_MODIFIED = "not_modified"
    REDIRECTED = "redirected"
    """To a CDN."""
    REFUSED = "refused"
    """No such picture, or no such size."""
    BUSY = "busy"
    """503: the queue of the renderer is full, or a part does not answer."""
    FAILED = "failed"


@dataclass
class ImageRequestStats:
    """Counts since the start of the process."""

    outcomes: Counter[ImageOutcome] = field(default_factory=Counter)
    content_bytes: int = 0

    def measure(self) -> Iterator[Measure]:
        yield Counted(
            "image_requests",
            "Picture requests not served from memory, by outcome: kept, rendered, not_modified, redirected, refused, "
            "busy, failed.",
            [((outcome.value,), count) for outcome, count in list(self.outcomes.items())],
            labels=("outcome",),
        )
        yield Counted("image_bytes", "Bytes of pictures sent.", [((), self.content_bytes)])


def mark_rendered(request: Request) -> None:
    """Note that the picture was rendered for this request, so that its outcome is RENDERED."""
    request.state.is_rendered = True


def counted_route(stats: ImageRequestStats) -> type[APIRoute]:
    """Return a class of routes that count requests by outcome, those with an invalid query included."""

    class CountedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_counted(request: Request) -> Response:
                outcome = ImageOutcome.FAILED
                try:
                    response = await handle(request)
                    outcome = _outcome_of(request, response)
                    if request.method == HTTPMethod.GET:
                        stats.content_bytes += len(response.body)
                    return response
                except (RequestValidationError, NotFound, Invalid):
                    outcome = ImageOutcome.REFUSED
                    raise
                except Unavailable:
                    outcome = ImageOutcome.BUSY
                    raise
                finally:
                    stats.outcomes[outcome] += 1

            return handle_counted

    return CountedRoute


def _outcome_of(request: Request, response: Response) -> ImageOutcome:
    match response.status_code:
        case HTTPStatus.NOT_MODIFIED:
            return ImageOutcome.NOT_MODIFIED
        case HTTPStatus.FOUND:
            return ImageOutcome.REDIRECTED
    return ImageOutcome.RENDERED if getattr(request.state, "is_rendered", False) else ImageOutcome.KEPT
