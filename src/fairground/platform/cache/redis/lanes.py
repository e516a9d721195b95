"""A few connections that many callers share: what is asked while one is busy goes out together with its next turn."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from fairground.platform.cache.levels import LevelUnavailable
from fairground.platform.cache.redis.connection import Command, Reply, ServerConnection

LANES: Final = 4  # so that one large entry does not hold up everybody
_TURN_MAX: Final = 64

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    run_id: bytes
    """Of the server that answered."""
    replies: list[Reply]


@dataclass(frozen=True, slots=True)
class _Question:
    commands: Sequence[Command]
    answer: "asyncio.Future[Answer]"


class Lanes:
    """Nobody waits for a free connection: callers queue for the next turn, and a turn is over in a moment or fails."""

    def __init__(self, connect: Callable[[], ServerConnection]) -> None:
        self._connect = connect
        self._questions: asyncio.Queue[_Question] = asyncio.Queue()
        self._generation = 0

    async def ask(self, *commands: Command) -> Answer:
        """Send commands, in this order and with nothing between them.

        Raises:
            LevelUnavailable: No answer; whether they were carried out is not known.
        """
        question = _Question(commands, asyncio.get_running_loop().create_future())
        self._questions.put_nowait(question)
        return await question.answer

    def start_anew(self) -> None:
        """Turn away who is still waiting for a turn, and take new connections, for the name may lead elsewhere now."""
        self._generation += 1
        while not self._questions.empty():
            _refuse(self._questions.get_nowait(), "The server did not answer.")

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(LANES):
                    group.create_task(self._serve(self._connect()))
        finally:
            self.start_anew()

    async def _serve(self, connection: ServerConnection) -> None:
        generation = self._generation
        try:
            while True:
                turn = [await self._questions.get()]
                if generation != self._generation:
                    generation = self._generation
                    await connection.close()
                await self._take_turn(connection, turn)
        finally:
            await connection.close()

    async def _take_turn(self, connection: ServerConnection, turn: list[_Question]) -> None:
        while len(turn) < _TURN_MAX and not self._questions.empty():
            turn.append(self._questions.get_nowait())
        try:
            replies = await connection.exchange([command for question in turn for command in question.commands])
        except LevelUnavailable as error:
            for question in turn:
                _refuse(question, str(error))
            return
        except asyncio.CancelledError:
            for question in turn:
                _refuse(question, "The level was closed.")
            raise
        except Exception:
            # Our mistake or the library's: requests go on without the level, and so does the program.
            log.exception("cache.turn_failed", commands=len(turn))
            for question in turn:
                _refuse(question, "The level has failed.")
            return
        for question in turn:
            count = len(question.commands)
            own, replies = replies[:count], replies[count:]
            if not question.answer.done():
                question.answer.set_result(Answer(connection.run_id, own))


def _refuse(question: _Question, reason: str) -> None:
    if not question.answer.done():
        question.answer.set_exception(LevelUnavailable(reason))
