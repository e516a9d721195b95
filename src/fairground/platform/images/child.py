"""A child process that renders one picture after the other, until its input ends.

    python -m fairground.platform.images.child <engine> <memory in bytes> <CPU seconds for one picture>

Decoders are large programs in C that read files of strangers. Here they have nothing: no settings, no secrets, no
files to write, little memory and little time. The parent notices the end of the process, and goes on without it.
"""

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO, Final

from fairground.kernel.errors import DomainError
from fairground.platform.images import wire
from fairground.platform.images.monogram import MONOGRAM_MAGIC
from fairground.platform.images.rendering.canvas import Engine, UndecodableError, render
from fairground.platform.images.wire import EngineName

_NICENESS: Final = 5  # where cores are few, pages go before pictures
_PAGE_BYTES: Final = resource.getpagesize()


def main(engine_name: EngineName, memory_bytes: int, cpu_seconds: int) -> None:
    os.nice(_NICENESS)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    name, engine = open_engine(engine_name)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _send(answers, wire.READY + f"{name}\n".encode())
    while line := requests.readline(wire.LINE_MAX_BYTES):
        recipes, content_bytes = wire.decode_request(line)
        content = requests.read(content_bytes)
        if content.startswith(MONOGRAM_MAGIC):
            content = _draw_monogram(content)
        # The kernel ends this process when it has used so much CPU time from now on.
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            rendered = render(engine, content, recipes)
        except (UndecodableError, DomainError) as error:
            answer = wire.encode_refusal(str(error), resident_bytes=_resident_bytes())
        else:
            answer = wire.encode_rendered(rendered, resident_bytes=_resident_bytes())
        _send(answers, answer)


def open_engine(name: EngineName) -> tuple[EngineName, Engine]:
    """Return the engine of that name with its real name, which `BEST` does not tell.

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
