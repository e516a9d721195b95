import httpx

from fairground.ops.cache.client import prewarm


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/api/v1/categories":
        return httpx.Response(200, json={"data": [{"vertical": "artists", "slug": "dj"}]})
    is_broken = request.url.path.startswith("/c/") and "category" in request.url.params
    return httpx.Response(503 if is_broken else 200, headers={"X-Cache": "MISS"})


def test_failed_list_is_reported_and_the_others_are_requested() -> None:
    warmed = list(prewarm(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://127.0.0.1")))
    assert len(warmed) == 1 + 2 * 2 * 3
    failed = {each.path for each in warmed if not each.is_success}
    assert failed == {f"/c/artists?category=dj{sort}" for sort in ("", "&sort=top_rated", "&sort=newest")}
    assert {each.cache_status for each in warmed} == {"MISS"}
