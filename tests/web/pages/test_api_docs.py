import re
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel

from fairground.platform.module import Links
from fairground.web.pages import api_docs
from tests.support.runtime import make_site


class HoldIn(BaseModel):
    service_id: str
    notes: list[str] | None = None


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(docs_url=None)
    router = APIRouter(tags=["booking"])

    @router.post("/bookings/{booking_id}/hold")
    async def hold(booking_id: int, wanted: HoldIn, page: int = 1) -> None:
        """Take a time for `ten` minutes <b>."""

    app.include_router(router, prefix="/api/v1")
    app.include_router(api_docs.routes(make_site(Path()), Links()))
    return app


def test_operations_are_grouped_with_what_they_take_and_answer(app: FastAPI) -> None:
    (operation,) = api_docs.group_operations(app.openapi())["booking"]
    assert (operation.method, operation.path) == ("POST", "/api/v1/bookings/{booking_id}/hold")
    assert operation.fields == [
        api_docs.Field("booking_id", "path", "integer", is_required=True),
        api_docs.Field("page", "query", "integer", is_required=False),
        api_docs.Field("service_id", "body", "string", is_required=True),
        api_docs.Field("notes", "body", "[string] | null", is_required=False),
    ]
    assert operation.answers == ["200", "422"]


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_of_others(app: FastAPI) -> None:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver") as client:
        shown = await client.get("/api/docs")
    assert shown.status_code == 200
    assert "POST /api/v1/bookings/{booking_id}/hold" in shown.text
    assert "<b>." not in shown.text
    loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]+)\"", shown.text)
    assert [address for address in loaded if not address.startswith(("/", "data:"))] == []
    assert "content-security-policy" in shown.headers
