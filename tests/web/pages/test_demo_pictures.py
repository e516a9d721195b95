from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from fairground.platform.http import problems
from fairground.platform.links import Links
from fairground.web.pages import demo_pictures
from tests.support.runtime import make_site

NAME = f"{UUID(int=7)}.svg"


def a_client(folder: Path) -> AsyncClient:
    app = FastAPI()
    app.include_router(demo_pictures.routes(make_site(folder), Links()))
    app.add_exception_handler(demo_pictures.PictureNotFound, problems.on_domain_error)
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver")


async def test_a_picture_is_kept_for_ever_and_can_run_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    async with a_client(tmp_path) as client:
        answer = await client.get(f"/pictures/{NAME}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "immutable" in answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["..%2Fsecret.svg", "secret.txt", f"{UUID(int=8)}.svg", f"{UUID(int=7)}.svg%00"])
async def test_nothing_but_pictures_is_handed_out(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / NAME).write_text("<svg/>")
    (folder / "secret.txt").write_text("secret")
    (tmp_path / "secret.svg").write_text("secret")
    async with a_client(folder) as client:
        answer = await client.get(f"/pictures/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text
