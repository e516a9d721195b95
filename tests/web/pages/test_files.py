from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from fairground.platform.http import problems
from fairground.platform.module import Links
from fairground.web.assets import STATIC_FOLDER, Assets
from fairground.web.pages import files
from tests.support.runtime import make_site


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(files.routes(make_site(Path()), Links()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
async def test_static_file_is_immutable_in_the_requested_coding(client: httpx.AsyncClient, coding: str) -> None:
    path = Assets().url("app.js")
    answer = await client.get(path, headers={"Accept-Encoding": coding})
    assert answer.content == (STATIC_FOLDER / "app.js").read_bytes()
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.headers["etag"].endswith(f'-{coding}"')
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]


ON_ONE_PAGE = ("gallery.js", "pictures.js", "thread.js", "dashboard_forms.js", "hold.js", "card_fields.js")


async def test_all_script_of_a_page_is_small(client: httpx.AsyncClient) -> None:
    everywhere = [await _loaded_bytes(client, name) for name in ("app.js", "vendor/htmx.min.js")]
    on_one_page = [await _loaded_bytes(client, name) for name in ON_ONE_PAGE]
    by_click = [await _loaded_bytes(client, name) for name in ("map.js", "vendor/leaflet.js")]
    assert sum(everywhere) + max(on_one_page) <= 20_000
    assert sum(by_click) <= 45_000


async def _loaded_bytes(client: httpx.AsyncClient, name: str) -> int:
    answer = await client.get(Assets().url(name), headers={"Accept-Encoding": "br"})
    return int(answer.headers["content-length"])


async def test_prefetch_rules_are_served_as_speculation_rules(client: httpx.AsyncClient) -> None:
    answer = await client.get(Assets().url("speculation.json"))
    assert answer.headers["content-type"] == "application/speculationrules+json"
    assert "/book" not in answer.text


NAME = f"{UUID(int=7)}.svg"


def a_client(folder: Path) -> AsyncClient:
    app = FastAPI()
    app.include_router(files.routes(make_site(folder), Links()))
    app.add_exception_handler(files.PictureNotFound, problems.on_domain_error)
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver")


async def test_drawing_is_immutable_and_can_run_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    async with a_client(tmp_path) as client:
        answer = await client.get(f"/pictures/{NAME}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "immutable" in answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["..%2Fsecret.svg", "secret.txt", f"{UUID(int=8)}.svg", f"{UUID(int=7)}.svg%00"])
async def test_only_drawings_are_served(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / NAME).write_text("<svg/>")
    (folder / "secret.txt").write_text("secret")
    (tmp_path / "secret.svg").write_text("secret")
    async with a_client(folder) as client:
        answer = await client.get(f"/pictures/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text
