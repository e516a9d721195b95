import httpx
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient

from fairground.ops.caching.warming import prewarm


def test_a_list_that_fails_is_told_and_the_others_are_asked_for() -> None:
    app = FastAPI()

    @app.get("/api/v1/categories")
    async def list_categories() -> dict[str, list[dict[str, str]]]:
        return {"data": [{"vertical": "artists", "slug": "dj"}]}

    @app.get("/{path:path}")
    async def answer(path: str, category: str = "") -> Response:
        return Response(status_code=503 if path.startswith("c/") and category else 200, headers={"X-Cache": "MISS"})

    client: httpx.Client = TestClient(app)
    warmed = list(prewarm(client))
    assert len(warmed) == 1 + 2 * 2 * 3
    failed = {each.path for each in warmed if not each.is_success}
    assert failed == {f"/c/artists?category=dj{sort}" for sort in ("", "&sort=top_rated", "&sort=newest")}
    assert {each.how for each in warmed} == {"MISS"}
