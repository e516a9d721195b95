import httpx

from fairground.verticals.loader import Verticals


async def test_verticals_name_the_currency_and_the_words(client: httpx.AsyncClient, verticals: Verticals) -> None:
    body = (await client.get("/verticals")).json()
    assert [vertical["key"] for vertical in body["data"]] == [pack.key for pack in verticals]
    assert {vertical["currency"] for vertical in body["data"]} == {"EUR"}
    assert body["data"][2]["words"]["categories"] == "subjects"


async def test_categories_are_those_of_the_vertical(client: httpx.AsyncClient, verticals: Verticals) -> None:
    body = (await client.get("/categories", params={"vertical": "chefs"})).json()
    chefs = verticals.find("chefs")
    assert chefs
    assert [category["slug"] for category in body["data"]] == [category.slug for category in chefs.categories]
    assert {category["vertical"] for category in body["data"]} == {"chefs"}


async def test_without_a_vertical_every_category_is_listed(client: httpx.AsyncClient, verticals: Verticals) -> None:
    assert (await client.get("/categories")).json()["total"] == sum(len(pack.categories) for pack in verticals)


async def test_subjects_are_the_categories_of_tutors(client: httpx.AsyncClient) -> None:
    subjects, categories = [(await client.get(path)).json() for path in ("/subjects", "/categories?vertical=tutors")]
    assert subjects == categories
    assert subjects["total"] > 0


async def test_categories_of_an_unknown_vertical_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/categories", params={"vertical": "plumbers"})
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.vertical_unknown")
