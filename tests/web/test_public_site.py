"""A site on https, which others can reach."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Risk, Settings
from tests.support.databases import copy_of

URL = "https://fair.example"


@pytest.fixture
async def client(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        database_url=copy_of(sqlite_template, tmp_path),
        data_dir=tmp_path / "data",
        public_url=URL,
        allow=[Risk.SANDBOX_MONEY],
    )
    program = compose(settings)
    async with program.running():
        transport = httpx.ASGITransport(program.build_app())
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            yield client


async def test_component_page_is_for_loopback_alone(client: httpx.AsyncClient) -> None:
    assert (await client.get("/_ui")).status_code == 404
    assert (await client.get("/login")).status_code == 200


async def test_every_cookie_of_signing_in_is_secure(client: httpx.AsyncClient) -> None:
    form = {"name": "Kim", "email": "kim@example.org", "password": "seven quiet lanterns", "role": "customer"}
    answer = await client.post("/signup", data=form, headers={"Origin": URL})
    cookies = answer.headers.get_list("set-cookie")
    assert answer.status_code == 303
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-fairground_session", "signed_in"}
    assert all("; secure" in cookie.lower() for cookie in cookies)
