"""The cache over HTTP, for staff."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.ops.cache.flush import list_flushes
from tests.support.databases import copy_of


@pytest.fixture
async def program(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Program]:
    program = compose(Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "data"))
    async with program.running():
        yield program


@pytest.fixture
async def client(program: Program) -> httpx.AsyncClient:
    accounts = program.links.of(Accounts)
    people = [("s@example.org", "Sam", Role.ADMIN), ("k@example.org", "Kim", Role.CUSTOMER)]
    users = await accounts.create_users_in_bulk(users=people, password="correct horse battery")
    staff, other = [(await accounts.create_token(user_id=user.id, name="test")).secret for user in users]
    transport = httpx.ASGITransport(program.build_app())
    client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000/api/v1")
    client.headers["authorization"] = f"Bearer {staff}"
    client.headers["x-other"] = other
    return client


async def test_figures_are_for_staff_alone(client: httpx.AsyncClient) -> None:
    other = {"authorization": f"Bearer {client.headers['x-other']}"}
    assert (await client.get("/ops/cache", headers={"authorization": ""})).status_code == 401
    assert (await client.get("/ops/cache", headers=other)).status_code == 403
    assert (await client.post("/ops/cache/invalidate", json={}, headers=other)).status_code == 403


async def test_figures_count_requests_by_route(client: httpx.AsyncClient) -> None:
    for path in ("/verticals", "/verticals", "/artists", "/artists?x=1", "/artists?vertical=x"):
        await client.get(path)
    report = (await client.get("/ops/cache")).json()
    routes = {route["route"]: route for route in report["routes"]}
    assert (routes["verticals"]["hit"], routes["verticals"]["miss"], routes["verticals"]["hit_ratio"]) == (1, 1, 0.5)
    assert (routes["providers-artists"]["miss"], routes["providers-artists"]["bypass"]) == (1, 2)
    assert (report["entries"], report["shared"], report["damaged"]) == (2, "none", 0)
    assert 0 < report["memory_bytes"] < report["memory_most_bytes"]


@pytest.mark.parametrize(
    ("body", "hit"), [({"kinds": ["lists"]}, {"/verticals"}), ({"kinds": ["packs"]}, {"/artists"}), ({}, set())]
)
async def test_flush_of_a_kind_leaves_other_kinds_cached(
    client: httpx.AsyncClient, body: dict[str, object], hit: set[str]
) -> None:
    paths = ("/verticals", "/artists")
    for path in paths:
        await client.get(path)
    assert (await client.post("/ops/cache/invalidate", json=body)).status_code == 200
    assert {path for path in paths if (await client.get(path)).headers["x-cache"] == "HIT"} == hit


async def test_flush_of_an_unknown_provider_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/ops/cache/invalidate", json={"provider": "unknown"})
    assert (answer.status_code, answer.json()["code"]) == (404, "catalog.provider_not_found")


async def test_flush_is_recorded_with_actor_tags_and_time(client: httpx.AsyncClient, program: Program) -> None:
    [admin] = await program.links.of(Accounts).list_users(role=Role.ADMIN, limit=1)
    other = {"authorization": f"Bearer {client.headers['x-other']}"}
    for body in ({"kinds": ["lists", "packs"]}, {"provider": "unknown"}, {}):
        await client.post("/ops/cache/invalidate", json=body)
        await client.post("/ops/cache/invalidate", json=body, headers=other)
    last, first = await list_flushes(program.db, limit=10)
    assert (first.actor, first.details) == (f"user {admin.id}", {"tags": ["life:lists", "life:packs"]})
    assert (last.actor, last.details) == (f"user {admin.id}", {"tags": ["everything"]})
    assert first.acted_at <= last.acted_at
