"""The parent's side of a child process that renders: its start, requests, time limits and end."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from typing import Final

import structlog

from fairground.platform.images.child import (
    LINE_MAX_BYTES,
    READY,
    Answer,
    EngineName,
    decode_answer,
    decode_rendered,
    encode_request,
)
from fairground.platform.images.recipes import Recipe
from fairground.platform.images.refusals import PictureBroken, PictureTooCostly, RendererUnavailable
from fairground.platform.images.rendering.canvas import Rendered
from fairground.platform.images.settings import ImageSettings

log = structlog.get_logger()

_START_SECONDS: Final = 30  # on a machine that is busy
_GRACE_SECONDS: Final = 2
# Without our own environment, which contains secrets. The threshold keeps libvips from writing large pictures into
# temporary files: a bomb has filled a disk that way.
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "VIPS_CONCURRENCY": "1",
    "VIPS_DISC_THRESHOLD": "100g",
}


class RenderProcess:
    """One child process. A failure ends it, and the renderer starts another one."""

    def __init__(self, process: asyncio.subprocess.Process, settings: ImageSettings) -> None:
        self._process = process
        self._settings = settings
        self._renders = 0
        self._resident_bytes = 0

    @classmethod
    async def start(cls, settings: ImageSettings, *, engine: EngineName) -> "RenderProcess":
        """Start a child and wait until it accepts requests, about a fifth of a second.

        Raises:
            RendererUnavailable: It does not start.
        """
        module = "fairground.platform.images.child"
        words = ["-I", "-m", module, engine, str(settings.memory_bytes), str(settings.cpu_seconds)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # messages of libraries about strangers' files
            env=_ENVIRONMENT,
            limit=LINE_MAX_BYTES,
            start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
        )
        started = cls(process, settings)
        try:
            async with asyncio.timeout(_START_SECONDS):
                greeting = await started._output.readline()
        except TimeoutError:
            greeting = b""
        except BaseException:
            await started.kill()
            raise
        if not greeting.startswith(READY):
            await started.kill()
            log.error("images.child_not_started", engine=engine, ended_by=process.returncode)
            raise RendererUnavailable("The process that renders pictures does not start.")
        log.info("images.child_started", engine=greeting.removeprefix(READY).decode().strip())
        return started

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    @property
    def is_spent(self) -> bool:
        """Whether it has rendered enough, or grown too large: C libraries never return fragmented memory."""
        settings = self._settings
        return self._renders >= settings.renders_max or self._resident_bytes > settings.resident_bytes

    async def render(self, content: bytes, recipes: Sequence[Recipe]) -> Rendered:
        """Render one picture.

        Raises:
            PictureBroken: The decoder refused it; the child continues.
            PictureTooCostly: The child died of it, or was killed. Only this picture is lost.
            RendererUnavailable: Another process killed the child; the picture may be tried again.
        """
        try:
            async with asyncio.timeout(self._settings.wall_seconds):
                answer, rendered = await self._exchange(content, recipes)
        except TimeoutError as error:
            await self.kill()
            log.warning("images.render_too_slow", wall_seconds=self._settings.wall_seconds, content_bytes=len(content))
            raise PictureTooCostly(f"The picture took more than {self._settings.wall_seconds:g} s.") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise await self._explain_death(len(content)) from error
        except (ValueError, LookupError, TypeError) as error:
            # Our own code never answers like this: a hostile picture has taken over the child.
            await self.kill()
            log.warning("images.child_answered_nonsense", content_bytes=len(content))
            raise PictureTooCostly("The picture could not be decoded.") from error
        except BaseException:
            # Cancelled in the middle of an exchange: the rest of this answer would be taken for the next one.
            await self.kill()
            raise
        self._renders += 1
        self._resident_bytes = answer["resident_bytes"]
        if rendered is None:
            log.info("images.render_refused", reason=answer["refused"], content_bytes=len(content))
            raise PictureBroken("The picture is damaged.")
        return rendered

    async def stop(self) -> None:
        """End an idle child."""
        self._input.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _exchange(self, content: bytes, recipes: Sequence[Recipe]) -> tuple[Answer, Rendered | None]:
        self._input.write(encode_request(recipes, content_bytes=len(content)))
        self._input.write(content)
        await self._input.drain()
        line = await self._output.readline()
        if not line.endswith(b"\n"):
            raise asyncio.IncompleteReadError(line, None)
        answer = decode_answer(line)
        contents = [await self._output.readexactly(size) for size in answer["sizes"]]
        return answer, decode_rendered(answer["rendered"], contents) if "rendered" in answer else None

    async def _explain_death(self, content_bytes: int) -> Exception:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._process.wait()
        ended_by = self._process.returncode
        await self.kill()
        log.warning("images.child_died", ended_by=ended_by, content_bytes=content_bytes)
        if ended_by == -signal.SIGKILL:
            return RendererUnavailable("The process that renders pictures was killed.")
        return PictureTooCostly("The picture could not be decoded within the limits for memory and time.")

    @property
    def _input(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        return self._process.stdin

    @property
    def _output(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return self._process.stdout
