"""The webhook's route and the sandbox's page, through the module as it is built."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from fairground.contracts.payments import Payments, PaymentStatus
from fairground.kernel.errors import DomainError
from fairground.modules.payments.module import SANDBOX_FILE, build
from fairground.modules.payments.tables import EventRow
from fairground.platform.db.database import Database
from fairground.platform.http import problems
from fairground.platform.http.app import API_PREFIX
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.runner import drain
from fairground.platform.module import Links
from fairground.sandbox.stripe.store import SandboxStore
from tests.support.runtime import make_runtime

WEBHOOK = f"{API_PREFIX}/webhooks/stripe"
URL = "http://fair.test"


class Site:
    """The module served over HTTP."""

    def __init__(self, db: Database, routes: Routes, folder: Path) -> None:
        links = Links()
        self.module = build(make_runtime(db, folder, public_url=URL), links)
        routes.add(self.module.name, handlers=self.module.handlers)
        self.payments = links.of(Payments)
        app = FastAPI()
        app.add_exception_handler(DomainError, problems.on_domain_error)
        for router in self.module.routers:
            app.include_router(router, prefix=API_PREFIX)
        self.paths = set(app.openapi()["paths"])
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)
        self._file = SandboxStore(folder / SANDBOX_FILE)

    async def sign(self, body: bytes, *, at: float) -> dict[str, str]:
        secret = await self._file.secret("webhook_secret", prefix="whsec_")
        digest = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
        return {"stripe-signature": f"t={int(at)},v1={digest}"}

    async def close(self) -> None:
        assert self.module.stop is not None
        await self.client.aclose()
        await self.module.stop()
        self._file.close()


@pytest.fixture
async def site(db: Database, routes: Routes, tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(db, routes, tmp_path)
    yield site
    await site.close()


def event_about(intent_id: str) -> bytes:
    event: Any = {"id": "evt_1", "object": "event", "type": "payment_intent.created"}
    return json.dumps(event | {"data": {"object": {"id": intent_id, "object": "payment_intent"}}}).encode()


async def count_events(db: Database) -> int:
    async with db.read() as tx:
        count: int = await tx.scalar(select(func.count()).select_from(EventRow))
        return count


async def test_signed_webhook_is_kept_once_however_often_it_comes(site: Site, db: Database) -> None:
    body = event_about("pi_1")
    for _ in range(3):
        answer = await site.client.post(WEBHOOK, content=body, headers=await site.sign(body, at=time.time()))
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await count_events(db) == 1


@pytest.mark.parametrize("seconds", [-301, 3_600])
async def test_webhook_signed_at_another_time_is_refused(site: Site, db: Database, seconds: int) -> None:
    body = event_about("pi_1")
    headers = await site.sign(body, at=time.time() + seconds)
    answer = await site.client.post(WEBHOOK, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "payment.webhook_refused")
    assert await count_events(db) == 0


async def test_forged_webhook_is_refused(site: Site, db: Database) -> None:
    body = event_about("pi_1")
    signed = await site.sign(body, at=time.time())
    for headers, content in ((signed, event_about("pi_2")), ({}, body), ({"stripe-signature": "t=1,v0=2"}, body)):
        answer = await site.client.post(WEBHOOK, content=content, headers=headers)
        assert answer.status_code == 422
    assert await count_events(db) == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"evt_z"}',
        b"[]",
        b"{}",
        b"null",
        b"7",
        b'"evt_1"',
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100000,
        b'{"a":' * 50000,
        b"9" * 10000,
        b'{"id":' + b"9" * 10000 + b"}",
        b'{"id":1e999,"type":"a","data":{}}',
        b'{"id":7,"type":"a","data":{"object":{}}}',
        b'{"id":"evt_1","type":null,"data":{"object":{}}}',
        b'{"id":"evt_1","type":"a","data":[]}',
        b'{"id":"evt_1","type":"a","data":{"object":"pi_1"}}',
        b'{"id":"\\u0000","type":"a","data":{"object":{}}}',
        b'{"id":"\\ud800","type":"a","data":{"object":{}}}',
        b'{"id":"' + b"e" * 300 + b'","type":"a","data":{"object":{}}}',
    ],
    ids=range(21),
)
async def test_signed_webhook_that_is_no_event_is_a_problem_and_not_kept(site: Site, db: Database, body: bytes) -> None:
    answer = await site.client.post(WEBHOOK, content=body, headers=await site.sign(body, at=time.time()))
    assert (answer.status_code, answer.json()["code"]) == (422, "payment.webhook_unreadable")
    assert await count_events(db) == 0


@pytest.mark.parametrize("intent_id", [None, 7, {"id": "pi_1"}, "pi_../refunds", "pi_\u0000", ["pi_1"]])
async def test_signed_event_about_something_without_an_intent_is_kept(site: Site, db: Database, intent_id: Any) -> None:
    event = {"id": "evt_1", "type": "charge.updated", "data": {"object": {"object": "charge"}}}
    event["data"]["object"]["payment_intent"] = intent_id  # type: ignore[index]
    body = json.dumps(event).encode()
    answer = await site.client.post(WEBHOOK, content=body, headers=await site.sign(body, at=time.time()))
    assert answer.status_code == 200
    assert await count_events(db) == 1


async def test_payment_with_3d_secure_from_card_to_capture(site: Site, db: Database, routes: Routes) -> None:
    reference_id = uuid4()
    payment = await site.payments.authorise(
        reference_id=reference_id,
        payer_id=uuid4(),
        amount_minor=2_500,
        currency="EUR",
        payment_method="pm_card_authenticationRequired",
        return_url=f"{URL}/book/return",
    )
    assert payment.action_url is not None
    assert "25.00 EUR" in (await site.client.get(payment.action_url)).text
    back = await site.client.post(payment.action_url, data={"outcome": "complete"})
    assert back.headers["location"].startswith(f"{URL}/book/return?payment_intent=pi_")
    assert site.module.start is not None
    await site.module.start()
    assert await count_events_soon(db, at_least=3)
    await drain(db, routes=routes)
    known = await site.payments.find_payment(reference_id=reference_id)
    assert known is not None
    assert known.status is PaymentStatus.AUTHORISED
    assert (await site.payments.capture(reference_id=reference_id)).status is PaymentStatus.CAPTURED


async def count_events_soon(db: Database, *, at_least: int) -> bool:
    give_up_at = time.monotonic() + 15
    while time.monotonic() < give_up_at:
        if await count_events(db) >= at_least:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_api_schema_contains_only_the_webhook_beside_the_routes_of_staff(site: Site) -> None:
    assert {path for path in site.paths if "/admin/" not in path} == {WEBHOOK}
