"""Routes of lists and search."""

from typing import Any, Final

import httpx
import pytest

from tests.support.api import ADDRESS
from tests.support.directory import Directory
from tests.support.providers import Desk, owner_of

CARD: Final = [
    "id",
    "slug",
    "business_name",
    "profile_picture_url",
    "custom_subtitle",
    "location",
    "service_categories",
    "price_from_minor",
    "currency",
    "rating",
    "rating_count",
    "book_count",
]
PRIVATE: Final = {"email", "phone", "owner", "reason", "missing", "status", "submitted", "hash", "external"}


async def test_a_card_has_exactly_the_promised_fields_in_their_order(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(price_minor=45_000)
    body = (await client.get("/service-provider-profiles/")).json()
    assert list(body) == ["data", "total", "price_distribution", "total_is_lower_bound", "next_cursor"]
    [card] = body["data"]
    assert list(card) == CARD
    assert card["profile_picture_url"] == f"/api/v1/img/avatar/{card['id']}?w=256&dpr=2&q=90"
    assert card["rating"] is None
    assert (card["price_from_minor"], card["currency"]) == (45_000, "EUR")


async def test_nothing_private_shows_in_lists_and_public_pages(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved(price_minor=45_000)
    assert provider.contact_email
    for path in ("/service-provider-profiles", "/artists", f"/service-provider-profiles/{provider.slug}"):
        answer = await client.get(path)
        keys = _keys(answer.json())
        assert not {key for key in keys if any(word in key for word in PRIVATE)}
        assert provider.contact_email not in answer.text
        assert "+47" not in answer.text
        assert "data:" not in answer.text


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


async def test_both_slash_forms_answer_alike_without_a_redirect(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved()
    for path in ("/service-provider-profiles", "/artists", "/chefs", "/tutors"):
        answers = [await client.get(form) for form in (path, f"{path}/")]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content


async def test_each_pack_has_a_list_of_its_own(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(business_name="A band")
    await desk.approved(business_name="A cook", vertical="chefs", categories=["italian"])
    for path, name in (("/artists", "A band"), ("/chefs", "A cook")):
        assert [card["business_name"] for card in (await client.get(path)).json()["data"]] == [name]
    assert (await client.get("/tutors")).json()["data"] == []


async def test_a_pack_has_its_own_word_for_a_category(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(business_name="A cook", vertical="chefs", categories=["italian"])
    await desk.approved(business_name="Another", vertical="chefs", categories=["french"])
    for words, names in (
        ({"cuisine": "Italian"}, ["A cook"]),
        ({"cuisine": "french", "category": "italian"}, ["Another"]),
        ({"cuisine": "", "category": "italian"}, ["A cook"]),
        ({"cuisine": "-"}, []),
    ):
        found = (await client.get("/chefs", params=words)).json()["data"]
        assert [card["business_name"] for card in found] == names


async def test_per_page_is_limit_on_the_list_of_a_pack(client: httpx.AsyncClient, desk: Desk) -> None:
    for number in range(3):
        await desk.approved(business_name=f"Act {number}")
    body = (await client.get("/artists", params={"per_page": 2, "page": 2})).json()
    assert (len(body["data"]), body["total"]) == (1, 3)


@pytest.mark.parametrize("spelling", ["dj", "Dj", "DJ", "disc jockey", "Disc-Jockey", "disc_jockey", " djs "])
async def test_every_spelling_of_a_category_gives_the_same_body(
    client: httpx.AsyncClient, desk: Desk, spelling: str
) -> None:
    await desk.approved(categories=["dj"])
    await desk.approved(categories=["band"], business_name="Not a DJ")
    body = (await client.get("/service-provider-profiles", params={"category": spelling})).json()
    assert [card["service_categories"] for card in body["data"]] == [["dj"]]


async def test_an_unknown_category_is_an_empty_list(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved()
    answer = await client.get("/service-provider-profiles", params={"category": "blacksmith"})
    nothing = {"data": [], "total": 0, "price_distribution": [], "total_is_lower_bound": False, "next_cursor": None}
    assert (answer.status_code, answer.json()) == (200, nothing)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "cheapest"),
        ("page", "0"),
        ("page", "1" + "0" * 30),
        ("limit", "0"),
        ("limit", "101"),
        ("minPrice", "-1"),
        ("minPrice", "nan"),
        ("maxPrice", "inf"),
        ("maxPrice", "cheap"),
        ("vertical", "plumbers"),
        ("include_price_distribution", "perhaps"),
    ],
)
async def test_invalid_value_is_a_problem(client: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await client.get("/service-provider-profiles", params={name: value})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in {"request.invalid", "catalog.vertical_unknown"}


@pytest.mark.parametrize("name", ["minPrice", "maxPrice"])
@pytest.mark.parametrize("path", ["/service-provider-profiles", "/artists"])
async def test_price_bound_with_more_decimals_than_the_currency_is_refused(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    answer = await client.get(path, params={name: "12.345"})
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.query_invalid")
    assert answer.json()["detail"] == "12.345 has too many decimals for EUR."


@pytest.mark.parametrize("text", ["\x00", "%", "_", "'", "\U0010ffff", "x" * 5_000, "  ", "!!!"])
async def test_list_accepts_any_text(client: httpx.AsyncClient, text: str) -> None:
    for name in ("q", "location", "category"):
        assert (await client.get("/service-provider-profiles", params={name: text})).status_code == 200


async def test_price_filters_are_in_major_units(client: httpx.AsyncClient, desk: Desk) -> None:
    for price_minor in (9_999, 10_000, 25_050, 25_051):
        await desk.approved(price_minor=price_minor, business_name=f"Costs {price_minor}")
    await desk.approved(business_name="Costs an unknown amount")
    body = (
        await client.get("/service-provider-profiles", params={"minPrice": 100, "maxPrice": "250.50", "sort": "price"})
    ).json()
    assert [card["price_from_minor"] for card in body["data"]] == [10_000, 25_050]


async def test_price_bands_are_those_of_the_pack_and_ignore_the_price_filter(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    for price_minor in (9_999, 10_000, 999_900):
        await desk.approved(price_minor=price_minor, business_name=f"Costs {price_minor}")
    body = (await client.get("/artists", params={"maxPrice": 50, "include_price_distribution": "true"})).json()
    counted = [band for band in body["price_distribution"] if band["count"]]
    assert counted == [
        {"min_price": 0, "max_price": 100, "count": 1},
        {"min_price": 100, "max_price": 200, "count": 1},
        {"min_price": 2500, "max_price": None, "count": 1},
    ]
    assert (body["total"], len(body["price_distribution"])) == (0, 10)


async def test_price_bands_come_on_request_and_from_their_own_path(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(price_minor=5_000, categories=["dj"])
    body = (await client.get("/artists")).json()
    assert (body["total"], body["price_distribution"]) == (1, [])
    asked_for = (await client.get("/artists", params={"include_price_distribution": "true"})).json()
    alone = (await client.get("/price-distribution", params={"vertical": "artists"})).json()
    assert alone["data"] == asked_for["price_distribution"]
    general = (await client.get("/price-distribution", params={"category": "DJ"})).json()["data"]
    assert [(band["min_price"], band["max_price"]) for band in general if band["count"]] == [(50, 100)]
    assert (await client.get("/price-distribution", params={"category": "blacksmith"})).json() == {"data": []}
    assert (await client.get("/price-distribution", params={"vertical": "plumbers"})).status_code == 422


async def test_fields_select_what_is_shown_and_unknown_ones_are_ignored(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(price_minor=45_000)
    for asked, shown in (
        ("business_name,created_at", {"id", "business_name", "created_at"}),
        ("rating,user.first_name,location,owner_id,__class__", {"id", "rating", "location"}),
        ("email,contact_email,user", {"id"}),
        ("distance_km,updated_at, slug", {"id", "distance_km", "updated_at", "slug"}),
        (",", set(CARD)),
    ):
        body = (await client.get("/artists", params={"fields": asked})).json()
        assert [set(card) for card in body["data"]] == [shown]
        assert body["total"] == 1
    repeated = (await client.get("/artists", params={"fields": ["rating", "location"]})).json()
    assert list(repeated["data"][0]) == ["id", "location", "rating"]


async def test_description_lists_the_fields(client: httpx.AsyncClient) -> None:
    paths = (await client.get(f"{ADDRESS}/openapi.json")).json()["paths"]
    parameters = {each["name"]: each for each in paths["/api/v1/artists"]["get"]["parameters"]}
    assert set(CARD) < set(parameters["fields"]["schema"]["items"]["enum"])
    assert parameters["per_page"]["schema"]["default"] == 12


async def test_twelve_cards_are_small(client: httpx.AsyncClient, desk: Desk) -> None:
    for number in range(12):
        await desk.approved(
            price_minor=45_000, business_name=f"A band of a longer name {number}", custom_subtitle="So long a line " * 5
        )
    full = await client.get("/artists")
    lean = await client.get("/artists", params={"fields": "id,business_name,profile_picture_url,created_at,updated_at"})
    assert len(full.json()["data"]) == len(lean.json()["data"]) == 12
    assert len(full.content) <= 8_192
    assert len(lean.content) <= 4_096


async def test_the_list_of_a_pack_has_twelve_on_a_page(client: httpx.AsyncClient, desk: Desk) -> None:
    for number in range(13):
        await desk.approved(business_name=f"Act {number}")
    first = (await client.get("/artists")).json()
    assert (len(first["data"]), first["total"]) == (12, 13)
    second = (await client.get("/artists", params={"cursor": first["next_cursor"]})).json()
    assert (len(second["data"]), second["next_cursor"]) == (1, None)
    assert len({card["id"] for card in first["data"] + second["data"]}) == 13


@pytest.mark.parametrize("cursor", ["x", "%", "W10", "eyJ9", "\x00", "a" * 4_000, "WyJwcmljZSIsMSwieCJd"])
async def test_invalid_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/artists", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.query_invalid")


async def test_a_cursor_of_another_sort_is_refused(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved()
    cursor = (await client.get("/artists", params={"per_page": 1})).json()["next_cursor"]
    answer = await client.get("/artists", params={"cursor": cursor, "sort": "newest"})
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.query_invalid")


async def test_near_me_shows_the_distance_and_needs_both_coordinates(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved(business_name="Oslo", lat=59.9139, lng=10.7522)
    await desk.approved(business_name="Drammen", lat=59.7440, lng=10.2045)
    await desk.approved(business_name="Bergen", lat=60.3913, lng=5.3221)
    where = {"lat": 59.7441, "lng": 10.2049}
    body = (await client.get("/artists", params={**where, "sort": "distance"})).json()
    assert [card["business_name"] for card in body["data"]] == ["Drammen", "Oslo"]
    assert [round(card["distance_km"]) for card in body["data"]] == [1, 36]
    nearest = (await client.get("/artists", params={**where, "distance_km": 5})).json()
    assert nearest["total"] == 1
    for wrong in ({"lat": 1}, {"lng": 1}, {"sort": "distance"}, {"lat": 91, "lng": 1}, {**where, "distance_km": 0}):
        assert (await client.get("/artists", params=wrong)).status_code == 422


LISTS: Final = ("/service-provider-profiles/", "/artists", "/search?q=band", "/artists?fields=profile_picture_url")


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_shows_avatars_in_one_size(
    client: httpx.AsyncClient, desk: Desk, catalog: Directory, path: str
) -> None:
    named, drawn, pictured = [await desk.approved(business_name=f"Band {name}") for name in ("A", "B", "C")]
    address = f"/api/v1/img/avatar/{pictured.id}?v=0123456789ab"
    await catalog.set_picture(provider_id=drawn.id, url=f"/pictures/{drawn.id}.svg")
    await catalog.set_picture(provider_id=pictured.id, url=address)
    shown = {card["id"]: card["profile_picture_url"] for card in (await client.get(path)).json()["data"]}
    assert shown == {
        str(named.id): f"/api/v1/img/avatar/{named.id}?w=256&dpr=2&q=90",
        str(drawn.id): f"/api/v1/img/avatar/{drawn.id}?w=256&dpr=2&q=90",
        str(pictured.id): f"/api/v1/img/avatar/{pictured.id}?v=0123456789ab&w=256&dpr=2&q=90",
    }


async def test_user_id_is_the_providers_id_and_only_on_demand(client: httpx.AsyncClient, desk: Desk) -> None:
    """The seed's lean set: the source system numbered a provider by its user."""
    provider = await desk.approved()
    lean = "user_id,id,business_name,profile_picture_url,created_at,updated_at"
    for path in ("/service-provider-profiles/", "/artists"):
        [card] = (await client.get(path, params={"fields": lean})).json()["data"]
        assert set(card) == set(lean.split(","))
        assert card["user_id"] == card["id"] == str(provider.id)
        assert card["user_id"] != str(owner_of(provider))
        [usual] = (await client.get(path)).json()["data"]
        assert "user_id" not in usual
        [full] = (await client.get(path, params={"fields": "user_id,rating"})).json()["data"]
        assert set(full) == {"id", "user_id", "rating"}


@pytest.mark.parametrize(
    ("path", "unknown", "hint"),
    [
        ("/chefs?city=Tokyo", "city", "cuisine"),
        ("/chefs?locaton=Tokyo", "locaton", "Did you mean 'location'?"),
        ("/service-provider-profiles/?min_price=1", "min_price", "minPrice"),
        ("/search?q=a&sort=newest", "sort", "location"),
        ("/service-provider-profiles/unknown?fields=id", "fields", "no query parameters"),
        ("/verticals?x=", "x", "no query parameters"),
        ("/me/provider?page=2", "page", "no query parameters"),
        ("/service-provider-profiles/?%C3%A9=1", "é", "category"),
    ],
)
async def test_unknown_query_parameter_is_refused_by_name(
    client: httpx.AsyncClient, path: str, unknown: str, hint: str
) -> None:
    answer = await client.get(path)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "request.unknown_parameter")
    assert repr(unknown) in body["detail"]
    assert hint in body["hint"]
    assert unknown not in body["known_parameters"]


async def test_parameters_of_advertisers_are_ignored(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.approved()
    marked = await client.get("/artists?utm_source=letter&gclid=1")
    assert marked.status_code == 200
    assert len(marked.json()["data"]) == 1


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


async def test_search_takes_the_filters_of_a_list(client: httpx.AsyncClient, desk: Desk) -> None:
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
        {"q": "x", "vertical": "unknown"},
    ],
)
async def test_search_with_an_invalid_parameter_is_refused(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = await client.get("/search", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_search_continues_at_its_cursor(client: httpx.AsyncClient, desk: Desk) -> None:
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
