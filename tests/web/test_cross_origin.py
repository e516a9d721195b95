"""No page of another site can post to a page of ours, signed in or not."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings
from fairground.platform.http.app import list_routes
from tests.support.databases import copy_of

FOREIGN: Final[dict[str, dict[str, str]]] = {
    "another origin": {"Origin": "https://evil.example"},
    "no origin to tell": {"Origin": "null"},
    "our host on another port": {"Origin": "http://127.0.0.1:9999"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of our site": {"Sec-Fetch-Site": "same-site"},
    "a page of another site": {"Referer": "https://evil.example/form"},
}
OWN: Final = {"Origin": "http://127.0.0.1:8000"}
SAFE: Final = {"GET", "HEAD"}


@pytest.fixture
async def site(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, list[tuple[str, str]]]]:
    program = compose(Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "data"))
    changing = [
        (method, re.sub(r"\{[^}]*\}", "0190c0de-0000-7000-8000-000000000000", path))
        for path, methods in list_routes([], program.pages)
        for method in methods
        if method not in SAFE
    ]
    async with program.running():
        transport = httpx.ASGITransport(program.build_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield client, changing


@pytest.mark.parametrize("cookie", [{}, {"Cookie": "a=b"}], ids=["without a cookie", "with a cookie"])
async def test_every_changing_page_route_refuses_other_origins(
    site: tuple[httpx.AsyncClient, list[tuple[str, str]]], cookie: dict[str, str]
) -> None:
    client, changing = site
    assert len(changing) >= 30
    assert {"/login", "/signup", "/logout"} <= {path for _, path in changing}
    passed = []
    for method, path in changing:
        for name, headers in FOREIGN.items():
            answer = await client.request(method, path, headers={**headers, **cookie})
            if answer.status_code != 403 or answer.json()["code"] != "request.cross_site":
                passed.append((method, path, name, answer.status_code))
    assert passed == []


async def test_changing_page_routes_take_our_own_origin(
    site: tuple[httpx.AsyncClient, list[tuple[str, str]]],
) -> None:
    client, changing = site
    refused = []
    for method, path in changing:
        answer = await client.request(method, path, headers=OWN)
        if "request.cross_site" in answer.text:
            refused.append((method, path))
    assert refused == []


async def test_foreign_form_cannot_sign_its_reader_in(site: tuple[httpx.AsyncClient, list[tuple[str, str]]]) -> None:
    client, _ = site
    form = {"name": "Mallory", "email": "mallory@example.org", "password": "seven quiet lanterns", "role": "customer"}
    created = await client.post("/signup", data=form, headers=OWN)
    assert created.status_code == 303
    client.cookies.clear()
    for origin, status in (("https://evil.example", 403), ("null", 403), (OWN["Origin"], 303)):
        answer = await client.post("/login", data=form, headers={"Origin": origin})
        assert (answer.status_code, "set-cookie" in answer.headers) == (status, status == 303)
        client.cookies.clear()
