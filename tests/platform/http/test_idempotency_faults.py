"""100 requests with Idempotency-Keys fail at every point after their commit; each has one effect."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice, product
from typing import Any, Final, Literal, NamedTuple
from uuid import NAMESPACE_OID, uuid5

import httpx
import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from fairground.kernel.errors import Conflict, LimitExceeded
from fairground.kernel.ids import uuid7
from fairground.platform.db.common import idempotency
from fairground.platform.db.common.idempotency import Claim, StoredAnswer, mark_effective
from fairground.platform.db.common.tables import AuditEntryRow, IdempotencyRow, history
from fairground.platform.db.database import Database, ReadTx, WriteTx
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.db.migrate import upgrade
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router
from tests.platform.http.conftest import PUBLIC_URL, NameAuthenticator, Pending, ThingIn
from tests.support.outbox import RecordingOutbox

pytestmark = [pytest.mark.anyio, pytest.mark.proof]

ANNA: Final = "Bearer 018f0000-0000-7000-8000-000000000001"
REQUESTS: Final = 100
ERRORS: Final[tuple[type[BaseException], ...]] = (
    RuntimeError,
    DatabaseUnavailable,
    LimitExceeded,
    Conflict,
    Pending,
    asyncio.CancelledError,  # leaves the row as the death of the process does: nothing runs after it
)


class Fault(NamedTuple):
    when: Literal["before", "after"]
    """Before the transaction begins, or after it has committed."""
    error: type[BaseException]

    def strike(self) -> None:
        raise self.error("injected", retry_after_seconds=1) if self.error is LimitExceeded else self.error("injected")


@dataclass(frozen=True)
class Plan:
    """What fails in the transactions of one request, in their order: the effect, a read, and the row of the key."""

    faults: Sequence[Fault | None]
    answer_is_broken: bool = False
    is_resumable: bool = False


def every_plan() -> list[Plan]:
    closings = (
        None,
        Fault("before", DatabaseUnavailable),
        Fault("after", DatabaseUnavailable),
        Fault("before", asyncio.CancelledError),
    )
    plans = [Plan([None, None, closing]) for closing in closings]
    plans += [Plan([None, None, closing], answer_is_broken=True) for closing in closings]
    for error, closing in product(ERRORS, closings):
        lost_commit = [Fault("after", error), closing]
        failed_read, lost_read = [None, Fault("before", error), closing], [None, Fault("after", error), closing]
        plans += [Plan(faults, is_resumable=error is Pending) for faults in (lost_commit, failed_read, lost_read)]
    return plans


class FaultyDatabase(Database):
    """Fails in the transactions that the plan names."""

    def __init__(self, url: str) -> None:
        super().__init__(url, outbox=RecordingOutbox(), guards=[mark_effective])
        self.faults: list[Fault | None] = []

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and fault.when == "before":
            fault.strike()
        async with super().read() as tx:
            yield tx
        if fault is not None:
            fault.strike()

    @asynccontextmanager
    async def write(self, *, ends_job: bool = False) -> AsyncIterator[WriteTx]:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and fault.when == "before":
            fault.strike()
        async with super().write(ends_job=ends_job) as tx:
            yield tx
        if fault is not None:
            fault.strike()


class Workshop:
    """Makes things. One that may be continued does nothing twice; the others would."""

    def __init__(self, db: FaultyDatabase) -> None:
        self.db = db
        self.plans: dict[str, Plan] = {}

    async def make(self, thing: ThingIn) -> Any:
        plan = self.plans[thing.name]
        self.db.faults = list(plan.faults)
        # A fault strikes the first time only: whether the next time is reached is what is tested.
        self.plans[thing.name] = Plan([], is_resumable=plan.is_resumable)
        effect = {
            "id": uuid5(NAMESPACE_OID, thing.name) if plan.is_resumable else uuid7(),
            "actor": thing.name,
            "action": "test",
            "changes": {},
            "details": {},
        }
        async with self.db.write() as tx:
            await tx.insert_ignore(AuditEntryRow, [{**effect, "acted_at": tx.now()}])
        async with self.db.read() as tx:
            made = await tx.scalars(select(AuditEntryRow.actor).where(AuditEntryRow.actor == thing.name))
        return {"made": object() if plan.answer_is_broken else made[0]}

    async def count_effects(self) -> dict[str, int]:
        self.db.faults = []
        async with self.db.read() as tx:
            names = await tx.scalars(select(AuditEntryRow.actor))
        return {name: names.count(name) for name in self.plans}


@pytest.fixture
async def workshop(database_url: str) -> AsyncIterator[Workshop]:
    db = FaultyDatabase(database_url)
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [history])
    engine.dispose()
    yield Workshop(db)
    await db.close()


@pytest.fixture
async def client(workshop: Workshop) -> AsyncIterator[httpx.AsyncClient]:
    router = api_router(tags=["things"])

    @router.post("/things", status_code=201)
    async def make_thing(thing: ThingIn, _caller: SignedIn) -> dict[str, str]:
        made: dict[str, str] = await workshop.make(thing)
        return made

    app = create_app(db=workshop.db, authenticator=NameAuthenticator(), api=[router], pages=[], public_url=PUBLIC_URL)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        yield http


async def request_all(client: httpx.AsyncClient, workshop: Workshop) -> dict[str, list[httpx.Response | None]]:
    """Send each request, and again at once, after a minute and a moment later; None is a request that died."""
    names = [f"thing-{number}" for number in range(REQUESTS)]
    plans = dict(zip(names, islice(cycle(every_plan()), REQUESTS), strict=True))
    workshop.plans = dict(plans)
    answers: dict[str, list[httpx.Response | None]] = {name: [] for name in names}
    with capture_logs():  # to print hundreds of tracebacks takes longer than the requests
        for seconds in (0, 1, 62, 63):
            workshop.db.clock_shift = timedelta(seconds=seconds)
            for name in names:
                workshop.db.faults = []
                answers[name].append(await send(client, name))
    return answers


async def send(client: httpx.AsyncClient, name: str) -> httpx.Response | None:
    try:
        return await client.post(
            "/api/v1/things", json={"name": name}, headers={"Authorization": ANNA, "Idempotency-Key": name}
        )
    except asyncio.CancelledError:
        return None


async def test_each_of_100_requests_that_fail_after_their_commit_has_one_effect(
    client: httpx.AsyncClient, workshop: Workshop, figure: Callable[[str, float, str], None]
) -> None:
    assert len(every_plan()) <= REQUESTS
    answers = await request_all(client, workshop)

    effects = await workshop.count_effects()
    assert {name: count for name, count in effects.items() if count != 1} == {}
    assert len(effects) == REQUESTS
    failed = [name for name, (first, *_) in answers.items() if first is None or first.status_code >= 429]
    assert len(failed) > REQUESTS // 2
    for name, (*_, before_last, last) in answers.items():
        assert before_last is not None
        assert last is not None
        assert (before_last.status_code, before_last.content) == (last.status_code, last.content), name
        outcome = last.json().get("code", "made")
        assert outcome in {"made", "conflict", "idempotency.outcome_unknown"}, (name, outcome)
    figure("requests that failed after their commit and were repeated three times", REQUESTS, "requests")
    figure("effects of each of them", max(effects.values()), "effects")


async def test_control_deleting_effective_rows_repeats_effects(
    client: httpx.AsyncClient, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def delete_in_any_state(db: Database, *, claim: Claim, unknown: StoredAnswer) -> None:  # noqa: ARG001
        async with db.write() as tx:
            await tx.execute(delete(IdempotencyRow).where(claim.row()))

    monkeypatch.setattr(idempotency, "end_failed_claim", delete_in_any_state)
    await request_all(client, workshop)

    effects = await workshop.count_effects()
    assert sum(count > 1 for count in effects.values()) > 10
