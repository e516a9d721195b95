"""The protocol between a child and its parent: a line of JSON, then the bytes that it announces."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypedDict

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import Recipe, Shape
from fairground.platform.images.rendering.canvas import Derivative, Rendered

LINE_MAX_BYTES: Final = 64 * 1024
ANSWER_MAX_BYTES: Final = 64 * 1024 * 1024  # the most is 23 MiB: noise as WebP, 2048 pixels wide and thrice as tall
READY: Final = b"ready "
"""Begins a child's first line; the name of its engine follows."""


class EngineName(StrEnum):
    VIPS = "vips"
    PILLOW = "pillow"
    BEST = "best"
    """libvips where it is, else Pillow."""


class Answer(TypedDict, total=False):
    """A child's answer; `sizes` are those of the files that follow it."""

    rendered: dict[str, Any]
    sizes: list[int]
    refused: str
    """Why the picture could not be decoded."""
    resident_bytes: int


def encode_request(recipes: Sequence[Recipe], *, content_bytes: int) -> bytes:
    return _line({"recipes": [_recipe_row(recipe) for recipe in recipes], "content_bytes": content_bytes})


def decode_request(line: bytes) -> tuple[tuple[Recipe, ...], int]:
    request = json.loads(line)
    return tuple(_recipe(row) for row in request["recipes"]), int(request["content_bytes"])


def encode_rendered(rendered: Rendered, *, resident_bytes: int) -> bytes:
    answer: Answer = {
        "rendered": {
            "width_px": rendered.width_px,
            "height_px": rendered.height_px,
            "colour": rendered.colour,
            "derivatives": [[_recipe_row(one.recipe), one.width_px, one.height_px] for one in rendered.derivatives],
        },
        "sizes": [len(one.content) for one in rendered.derivatives],
        "resident_bytes": resident_bytes,
    }
    return b"".join([_line(answer), *(one.content for one in rendered.derivatives)])


def encode_refusal(reason: str, *, resident_bytes: int) -> bytes:
    answer: Answer = {"refused": reason[:500], "sizes": [], "resident_bytes": resident_bytes}
    return _line(answer)


def decode_answer(line: bytes) -> Answer:
    """Read an answer of a child, which a hostile picture may have taken over.

    Raises:
        ValueError: It is no answer of our own code, or announces more than this process should hold.
    """
    answer: Answer = json.loads(line)
    if sum(answer["sizes"]) > ANSWER_MAX_BYTES:
        raise ValueError("The pictures are too large.")
    return answer


def decode_rendered(row: Mapping[str, Any], contents: Sequence[bytes]) -> Rendered:
    derivatives = tuple(
        Derivative(_recipe(recipe), width_px, height_px, content)
        for (recipe, width_px, height_px), content in zip(row["derivatives"], contents, strict=True)
    )
    return Rendered(row["width_px"], row["height_px"], row["colour"], derivatives)


def _recipe_row(recipe: Recipe) -> list[Any]:
    return [recipe.shape, recipe.width_px, recipe.format, recipe.quality]


def _recipe(row: Sequence[Any]) -> Recipe:
    shape, width_px, picture_format, quality = row
    return Recipe(Shape(shape), width_px, PictureFormat(picture_format), quality)


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
