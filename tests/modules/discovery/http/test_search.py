from typing import Any

import httpx
import pytest

from tests.modules.discovery.http.test_lists import CARD
from tests.support.providers import Desk


async def test_a_search_answers_with_cards_facets_and_corrections(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(price_minor=45_000)
    body = (await client.get("/search", params={"q": "jazz trrio osl"})).json()
    assert list(body) == ["data", "total", "total_is_lower_bound", "facets", "corrections", "next_cursor"]
    [card] = body["data"]
    assert list(card) == CARD
    assert (body["total"], body["total_is_lower_bound"]) == (1, False)
    assert body["facets"]["verticals"] == [{"value": "artists", "count": 1}]
    assert body["facets"]["categories"] == [{"value": "band", "count": 1}, {"value": "jazz_ensemble", "count": 1}]
    assert body["corrections"] == [{"typed": "trrio", "meant": "Trio"}]


async def test_a_search_takes_the_filters_of_the_list(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(price_minor=45_000)
    filters: list[tuple[dict[str, Any], int]] = [
        ({"vertical": "artists", "category": "Jazz", "location": "oslo", "minPrice": 450, "maxPrice": 450}, 1),
        ({"vertical": "", "category": "", "location": ""}, 1),
        ({"minPrice": 451}, 0),
        ({"min_rating": 4}, 0),
        ({"lat": 59.9, "lng": 10.7, "distance_km": 20}, 1),
        ({"lat": 52.5, "lng": 13.4}, 0),
        ({"when": "2026-03-09"}, 0),
    ]
    for params, total in filters:
        body = (await client.get("/search", params={"q": "trio", **params})).json()
        assert body["total"] == total, params


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": "x" * 201},
        {"q": "x", "page": 0},
        {"q": "x", "limit": 101},
        {"q": "x", "lat": 1},
        {"q": "x", "vertical": "nobody"},
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = await client.get("/search", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_search_goes_on_by_its_cursor(client: httpx.AsyncClient, desk: Desk) -> None:
    for number in range(3):
        await desk.approved(business_name=f"Trio {number}")
    first = (await client.get("/search", params={"q": "trio", "limit": 2})).json()
    rest = (await client.get("/search", params={"q": "trio", "limit": 2, "cursor": first["next_cursor"]})).json()
    assert (len(rest["data"]), rest["next_cursor"], rest["total"]) == (1, None, 3)
    assert rest["data"][0]["id"] not in {card["id"] for card in first["data"]}


@pytest.mark.parametrize("cursor", ["x", "W10", "eyJ9", "a" * 4_000, "WyJwcmljZSIsMSwieCJd", "WzFlOTk5LDEsMSwiYSJd"])
async def test_what_is_no_cursor_of_a_search_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/search", params={"q": "trio", "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.query_invalid")
