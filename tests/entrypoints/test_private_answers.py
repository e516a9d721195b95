"""Answers that depend on the caller never stay in a shared cache: what every route says, and what a cache does."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient

from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.platform.cache.policy import policy_of
from fairground.platform.http import identity
from fairground.platform.http.app import API_PREFIX
from tests.support.databases import copy_of
from tests.support.market import GOOD_CARD, Market, open_market_in, start_of
from tests.support.shared_cache import HEADER, SharedCache

BASE: Final = "https://127.0.0.1:8000"
UNSTORED: Final = "private, no-store"
OF_A_PAGE: Final = "private, no-cache"
OWNER_ONLY: Final = re.compile(r"private, max-age=\d+")
JSON: Final = {"content-type": "application/json"}
NOT_THERE: Final = "01890000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Site:
    program: Program
    market: Market
    booking_id: str
    origin: ASGITransport

    def as_(
        self, token: str, headers: dict[str, str] | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncClient:
        signed = {"Authorization": f"Bearer {token}"} if token else {}
        return AsyncClient(transport=transport or self.origin, base_url=BASE, headers=signed | (headers or {}))


@pytest.fixture(scope="module")
async def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    tmp_path = tmp_path_factory.mktemp("site")
    program = compose(Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path))
    program.db.backend.acquire_server_lock()
    async with program.running():
        market = await open_market_in(program, customers=2)
        origin = ASGITransport(app=program.build_app(), raise_app_exceptions=False)
        (service_id,) = market.services.values()
        async with AsyncClient(
            transport=origin, base_url=BASE, headers={"Authorization": f"Bearer {market.customer_tokens[0]}"}
        ) as customer:
            wanted = {"service_id": str(service_id), "starts_at": start_of(0).isoformat()}
            held = (await customer.post("/api/v1/bookings", json=wanted)).raise_for_status().json()
            paid = await customer.post(f"/api/v1/bookings/{held['id']}/pay", json={"payment_method": GOOD_CARD})
            paid.raise_for_status()
            sent = await customer.post(f"/api/v1/bookings/{held['id']}/messages", json={"text": "Is there a piano?"})
            sent.raise_for_status()
        yield Site(program, market, held["id"], origin)


def routes(program: Program) -> Iterator[tuple[str, APIRoute]]:
    for prefix, routers in ((API_PREFIX, program.api), ("", program.pages)):
        for router in routers:
            for route in router.routes:
                if isinstance(route, APIRoute):
                    yield f"{prefix}{route.path}", route


def knows_caller(route: APIRoute) -> bool:
    def calls(dependant: Dependant) -> Iterator[object]:
        yield dependant.call
        for below in dependant.dependencies:
            yield from calls(below)

    return identity.find_caller in set(calls(route.dependant))


def assert_private(answer: httpx.Response, *, is_api: bool) -> None:
    said = answer.headers.get("cache-control")
    about = f"{answer.request.method} {answer.request.url} {answer.status_code}: {said}"
    if said == OF_A_PAGE:
        assert not is_api, about
        assert "cookie" in answer.headers.get("vary", "").lower(), about
    else:
        assert said == UNSTORED or (said is not None and OWNER_ONLY.fullmatch(said)), about
    assert "cdn-cache-control" not in answer.headers, about


def fill(path: str, parts: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::path)?\}", lambda part: parts.get(part[1], NOT_THERE), path)


async def test_signing_in_and_out_answers_privately(site: Site) -> None:
    async with site.as_("", {"sec-fetch-site": "same-origin"}) as visitor:
        account = {"email": "ada@example.org", "password": "a sentence that is long enough"}
        answers = [
            await visitor.post("/api/v1/auth/register", json={**account, "name": "Ada", "role": "customer"}),
            await visitor.post("/api/v1/auth/login", json=account | {"password": "wrong"}),
            await visitor.post("/api/v1/auth/login?mode=token", json=account),
            await visitor.post("/api/v1/auth/login", json=account),
            await visitor.post("/api/v1/auth/password-reset", json={"email": "ada@example.org"}),
            await visitor.get("/api/v1/me"),
            await visitor.post("/api/v1/auth/logout"),
            await visitor.post("/login", data=account),
            await visitor.post("/logout"),
        ]
    assert {answer.status_code for answer in answers} >= {200, 201, 204, 303, 401}
    for answer in answers:
        assert_private(answer, is_api=answer.request.url.path.startswith(API_PREFIX))


async def test_replayed_answer_is_private(site: Site) -> None:
    (service_id,) = site.market.services.values()
    wanted = {"service_id": str(service_id), "starts_at": start_of(1).isoformat()}
    async with site.as_(site.market.customer_tokens[0]) as client:
        answers = [
            await client.post("/api/v1/bookings", json=body, headers={"Idempotency-Key": "one"})
            for body in (wanted, wanted, wanted | {"note": "other"})
        ]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert answers[1].headers["idempotency-replayed"] == "true"
    for answer in answers:
        assert_private(answer, is_api=True)


@pytest.mark.parametrize("path", ["/api/v1/bookings", "/me/bookings", "/api/v1/tutors", "/readyz"])
async def test_answer_without_database_is_private(path: str, tmp_path: Path) -> None:
    nowhere = "postgresql://fairground@127.0.0.1:1/none"
    program = compose(Settings(database_url=nowhere, data_dir=tmp_path), is_secondary=True)
    async with AsyncClient(transport=ASGITransport(app=program.build_app()), base_url=BASE) as client:
        answer = await client.get(
            path, headers={"Authorization": "Bearer fg_some-token-of-the-right-length-0000000000"}
        )
    assert answer.status_code in {401, 303, 503}
    assert_private(answer, is_api=path.startswith(API_PREFIX))
    await program.db.close()


FIXED_FILES: Final = {"/robots.txt", "/favicon.ico", "/manifest.webmanifest"}


async def test_public_answers_are_exactly_those_of_routes_with_a_policy(site: Site) -> None:
    """Static files and pictures are public as well: their addresses name their content, not a caller."""
    parts = {
        "provider_id": str(site.market.provider_id),
        "id_or_slug": "pias-lessons",
        "vertical": "tutors",
        "number": "1",
    }
    gets = [(path, route) for path, route in routes(site.program) if route.methods == {"GET"}]
    public, declared = set(), set()
    async with site.as_("") as visitor:
        for path, route in gets:
            query = "?from=2030-01-01&to=2030-01-02" if path.endswith("/availability") else ""
            query = "?q=jazz" if path.endswith(("/search",)) else query
            answer = await visitor.get(fill(path, parts) + query)
            if "public" in answer.headers["cache-control"]:
                public.add(path)
            if policy_of(route.endpoint) is not None:
                declared.add(path)
    assert len(declared) >= 15
    pictures = {path for path in public if path.startswith((f"{API_PREFIX}/img/", "/pictures/", "/static/"))}
    assert public - pictures - FIXED_FILES == declared
    assert public & {path for path, route in gets if knows_caller(route)} == set()


OWN: Final = (
    "/api/v1/bookings",
    "/api/v1/bookings/{booking_id}",
    "/api/v1/bookings/{booking_id}/calendar.ics",
    "/api/v1/bookings/{booking_id}/messages",
    "/api/v1/bookings/{booking_id}/reviews",
    "/api/v1/me",
    "/api/v1/me/conversations",
    "/api/v1/me/notifications",
    "/api/v1/me/sessions",
    "/me/bookings/{booking_id}/calendar.ics",
    "/me/bookings",
    "/me/bookings/{booking_id}",
    "/me/messages",
    "/me/settings",
)


async def read_as(site: Site, cache: SharedCache, token: str) -> dict[str, httpx.Response]:
    async with site.as_(token, transport=cache) as client:
        return {path: await client.get(path.format(booking_id=site.booking_id)) for path in OWN}


async def test_shared_cache_gives_one_callers_answers_to_no_other(site: Site) -> None:
    cache = SharedCache(site.origin)
    own = await read_as(site, cache, site.market.customer_tokens[0])
    assert {answer.status_code for answer in own.values()} == {200}
    for token in (site.market.customer_tokens[1], ""):
        foreign = await read_as(site, cache, token)
        assert [path for path in OWN if foreign[path].headers[HEADER] == "HIT"] == []
        assert [path for path in OWN if foreign[path].content == own[path].content] == []


async def test_control_shared_cache_leaks_answers_without_cache_control(site: Site) -> None:
    """Without Cache-Control the same cache gives them to another customer and to a stranger."""
    cache = SharedCache(site.origin, hides_cache_control=True)
    own = await read_as(site, cache, site.market.customer_tokens[0])
    foreign = await read_as(site, cache, "")
    leaked = {path for path in OWN if foreign[path].headers[HEADER] == "HIT"}
    assert "/api/v1/bookings" in leaked
    assert "/me/bookings/{booking_id}/calendar.ics" in leaked
    assert all(foreign[path].content == own[path].content for path in leaked)


async def test_shared_cache_keeps_public_lists(site: Site) -> None:
    """The cache of these tests does store: a public list is its HIT for the next reader."""
    cache = SharedCache(site.origin)
    async with (
        site.as_(site.market.customer_tokens[0], transport=cache) as one,
        site.as_("", transport=cache) as other,
    ):
        first, second = await one.get("/api/v1/tutors"), await other.get("/api/v1/tutors")
    assert [first.headers[HEADER], second.headers[HEADER]] == ["MISS", "HIT"]
    assert first.content == second.content


# Last in this file: it sends every change, so that what the others read may be gone after it.
async def test_every_route_that_learns_its_caller_answers_privately(site: Site) -> None:
    known = [(path, route) for path, route in routes(site.program) if knows_caller(route)]
    assert len(known) >= 70
    parts = {"provider_id": str(site.market.provider_id), "id_or_slug": "pias-lessons", "booking_id": site.booking_id}
    customer, provider, staff = site.market.customer_tokens[0], site.market.provider_token, site.market.admin_token
    seen: set[int] = set()
    for path, route in known:
        (method,) = (route.methods or set()) - {"HEAD"}
        if path.endswith("/auth/logout") or path == "/logout":
            continue  # it would end the session that the other routes need; the test of signing out calls it
        guarded = staff if re.search(r"/(ops|admin|approve|reject)", path) else provider
        for token in {"", customer, guarded} if guarded is staff or "pro" in path else {"", customer}:
            async with site.as_(token) as client:
                for concrete in {fill(path, parts), fill(path, {})}:
                    answers = [await client.request(method, concrete)]
                    if token == customer and method in {"POST", "PUT", "PATCH"}:
                        answers.append(await client.request(method, concrete, content=b"{", headers=JSON))
                    for answer in answers:
                        assert_private(answer, is_api=path.startswith(API_PREFIX))
                        seen.add(answer.status_code)
    assert {200, 202, 303, 401, 403, 404, 409, 422} - seen == set()
