from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter
from sqlalchemy import MetaData, Text, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.responses import PlainTextResponse

from fairground.kernel.messages import Job
from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP
from fairground.platform.measures import Counted, Measure
from fairground.platform.module import Check, CheckResult, CheckStatus, DemoContent, Links, Module, Schedule
from fairground.runtime import Runtime
from tests.support.greetings.settings import GreetingsSettings


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class GreetingRow(Base):
    __tablename__ = "greetings_greeting"

    name: Mapped[str] = mapped_column(Text, primary_key=True)


class Greet(Job):
    topic: ClassVar = "greetings.greet.v1"
    name: str = "World"


class Greetings:
    def __init__(self, runtime: Runtime) -> None:
        self._db = runtime.db
        self._word = runtime.settings.of(GreetingsSettings).word
        self.greeted = 0

    async def list_greetings(self) -> list[str]:
        async with self._db.read() as tx:
            names = await tx.scalars(select(GreetingRow.name).order_by(GreetingRow.name))
        return [f"{self._word}, {name}" for name in names]

    async def on_greet(self, job: Greet) -> None:
        async with self._db.write(ends_job=True) as tx:
            await tx.execute(insert(GreetingRow).values(name=job.name))
        self.greeted += 1

    async def check(self) -> AsyncIterator[CheckResult]:
        async with self._db.read() as tx:
            count = await tx.scalar(select(func.count()).select_from(GreetingRow))
        yield CheckResult(CheckStatus.OK, f"{count} greetings.")

    def measure(self) -> list[Measure]:
        return [Counted("greetings", "Greetings since the start.", [((), self.greeted)])]

    async def build_demo(self, content: DemoContent) -> None:
        async with self._db.write() as tx:
            await tx.enqueue(Greet(name=f"{len(content.provider_ids)} providers"))


def build(runtime: Runtime, links: Links) -> Module:
    greetings = Greetings(runtime)
    links.provide(Greetings, greetings)
    api, pages = APIRouter(), APIRouter()

    @api.get("/greetings")
    async def list_greetings() -> list[str]:
        return await greetings.list_greetings()

    @pages.get("/greetings")
    async def show_greetings() -> PlainTextResponse:
        return PlainTextResponse("\n".join(await greetings.list_greetings()))

    return Module(
        name="greetings",
        history=History("greetings", Base.metadata, folder=Path(__file__).parent / "migrations"),
        routers=[api],
        pages=[pages],
        handlers={Greet: greetings.on_greet},
        schedules=[Schedule(Greet(), every=timedelta(hours=1), runs_at_start=True)],
        checks=[Check("greetings", greetings.check)],
        measure=greetings.measure,
        demo=greetings.build_demo,
    )
