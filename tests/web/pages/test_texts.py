"""Help, contact, terms and privacy: Markdown that ships here, or the operator's own."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from fairground.platform.module import Links
from fairground.web.pages import texts
from tests.support.runtime import make_site

pytestmark = pytest.mark.anyio


async def get(path: str, *, texts_dir: Path | None = None) -> Response:
    app = FastAPI()
    app.include_router(texts.routes(make_site(Path(), texts_dir=texts_dir), Links()))
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver") as client:
        return await client.get(path)


@pytest.mark.parametrize("name", texts.NAMES)
async def test_text_that_ships_has_one_heading_and_is_linked_in_the_footer(name: str) -> None:
    answer = await get(f"/{name}")
    assert answer.status_code == 200
    assert answer.text.count("<h1>") == 1
    assert f'<a href="/{name}">' in answer.text


async def test_file_of_the_operator_replaces_the_text_and_its_html_is_not_markup(tmp_path: Path) -> None:
    (tmp_path / "terms.md").write_text("# Our terms\n\nBe kind. <script>alert(1)</script>\n", encoding="utf-8")
    answer = await get("/terms", texts_dir=tmp_path)
    assert "<h1>Our terms</h1>" in answer.text
    assert "<title>Our terms" in answer.text
    assert "<script>alert" not in answer.text
    assert "<h1>Help</h1>" in (await get("/help", texts_dir=tmp_path)).text
