import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel

from fairground.kernel.errors import Conflict
from fairground.platform.http.openapi import describe, refuses
from fairground.platform.module import Links
from fairground.web.pages import api_docs
from tests.support.runtime import make_site


class HoldIn(BaseModel):
    service_id: str
    notes: list[str] | None = None


class Taken(Conflict):
    code = "things.taken"


ROUTER = APIRouter(tags=["booking"])


@ROUTER.post("/bookings/{booking_id}/hold")
@refuses(Taken)
async def hold(booking_id: int, wanted: HoldIn, page: int = 1) -> None:
    """Take a time for `ten` minutes <b>."""


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(docs_url=None)
    app.include_router(ROUTER, prefix="/api/v1")
    app.include_router(api_docs.routes(make_site(Path()), Links()))
    return app


def test_operations_are_grouped_with_what_they_take_and_answer(app: FastAPI) -> None:
    (operation,) = api_docs.group_operations(described(app))["booking"]
    assert (operation.method, operation.path) == ("POST", "/api/v1/bookings/{booking_id}/hold")
    assert operation.fields == [
        api_docs.Field("booking_id", "path", "integer", is_required=True, text=""),
        api_docs.Field("page", "query", "integer", is_required=False, text=""),
        api_docs.Field("service_id", "body", "string", is_required=True, text=""),
        api_docs.Field("notes", "body", "[string] | null", is_required=False, text=""),
    ]
    assert [response.status for response in operation.responses] == ["200", "409"]
    assert operation.responses[1].codes == ["things.taken"]
    assert operation.access == "public"
    assert operation.request.startswith("curl -X POST https://fair.example/api/v1/bookings/1/hold")
    assert '"service_id": "text"' in operation.request


@pytest.mark.parametrize(
    ("query", "count"), [("", 1), ("hold", 1), ("HOLD time", 1), ("things.taken", 1), ("notes", 1), ("refund", 0)]
)
def test_search_finds_operations_with_all_words(app: FastAPI, query: str, count: int) -> None:
    found = api_docs.find_operations(api_docs.group_operations(described(app)), query)
    assert sum(map(len, found.values())) == count


def described(app: FastAPI) -> dict[str, Any]:
    routes = [(f"/api/v1{route.path}", route) for route in ROUTER.routes if isinstance(route, APIRoute)]
    return describe(app.openapi(), routes=routes, public_url="https://fair.example")


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_of_others(app: FastAPI) -> None:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver") as client:
        shown = await client.get("/api/docs")
    assert shown.status_code == 200
    assert "POST /api/v1/bookings/{booking_id}/hold" in shown.text
    assert "<b>." not in shown.text
    loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]+)\"", shown.text)
    assert [address for address in loaded if not address.startswith(("/", "data:"))] == []
    assert "content-security-policy" in shown.headers
