"""A child process that renders one picture after the other until its input ends, and its protocol.

    python -m fairground.platform.images.child <engine> <memory in bytes> <CPU seconds for one picture>

Decoders are large C programs that read files of strangers. The child has no settings, no secrets, no files to write,
little memory and little time. Its parent notices when it ends, and starts another one. A message between the two is a
line of JSON, then the bytes that it announces.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, TypedDict

from fairground.kernel.errors import DomainError
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import MONOGRAM_MAGIC
from fairground.platform.images.recipes import Recipe, Shape
from fairground.platform.images.rendering.canvas import Derivative, Engine, Rendered, UndecodableError, render

LINE_MAX_BYTES: Final = 64 * 1024
ANSWER_MAX_BYTES: Final = 64 * 1024 * 1024  # the largest is 23 MiB: noise as WebP, 2048 × 6144 pixels
READY: Final = b"ready "
"""The beginning of a child's first line; the name of its engine follows."""
_NICENESS: Final = 5  # on few cores, pages have priority over pictures
_PAGE_BYTES: Final = resource.getpagesize()


class EngineName(StrEnum):
    VIPS = "vips"
    PILLOW = "pillow"
    BEST = "best"
    """libvips where it is, else Pillow."""


class Answer(TypedDict, total=False):
    """A child's answer; `sizes` are the lengths of the files that follow it."""

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


def main(engine_name: EngineName, memory_bytes: int, cpu_seconds: int) -> None:
    os.nice(_NICENESS)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    name, engine = open_engine(engine_name)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _send(answers, READY + f"{name}\n".encode())
    while line := requests.readline(LINE_MAX_BYTES):
        recipes, content_bytes = decode_request(line)
        content = requests.read(content_bytes)
        if content.startswith(MONOGRAM_MAGIC):
            content = _draw_monogram(content)
        # The kernel ends this process when it uses this much CPU time from now on.
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            rendered = render(engine, content, recipes)
        except (UndecodableError, DomainError) as error:
            answer = encode_refusal(str(error), resident_bytes=_resident_bytes())
        else:
            answer = encode_rendered(rendered, resident_bytes=_resident_bytes())
        _send(answers, answer)


def open_engine(name: EngineName) -> tuple[EngineName, Engine]:
    """Return the engine of that name with its own name, which differs for `BEST`.

    Raises:
        ImportError, OSError: Its library, or one below it, is missing.
    """
    if name is EngineName.PILLOW:
        from fairground.platform.images.rendering.pillow import PillowEngine  # noqa: PLC0415 - seldom needed

        return name, PillowEngine()
    try:
        from fairground.platform.images.rendering.vips import VipsEngine  # noqa: PLC0415 - missing on some systems
    except (ImportError, OSError):
        if name is EngineName.VIPS:
            raise
        return open_engine(EngineName.PILLOW)
    return EngineName.VIPS, VipsEngine()


def _draw_monogram(source: bytes) -> bytes:
    from fairground.platform.images.rendering.pillow import draw_monogram  # noqa: PLC0415 - few children ever draw

    return draw_monogram(source)


def _limit(what: int, most: int) -> None:
    # Some systems lack some limits (macOS has none for memory); the parent's wall clock remains.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, most))


def _resident_bytes() -> int:
    """Return the memory in use, or 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _send(answers: BinaryIO, answer: bytes) -> None:
    answers.write(answer)
    answers.flush()


if __name__ == "__main__":
    main(EngineName(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
