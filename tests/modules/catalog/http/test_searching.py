from typing import Any

import httpx
import pytest

from tests.modules.catalog.http.test_browsing import CARD
from tests.support.catalog import Desk


async def test_a_search_answers_with_cards_facets_and_corrections(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(price_minor=45_000)
    body = (await client.get("/search", params={"q": "jazz trrio osl"})).json()
    assert list(body) == ["data", "total", "total_is_lower_bound", "facets", "corrections"]
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
