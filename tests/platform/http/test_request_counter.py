import httpx

from fairground.platform.http.request_counter import RequestStats


async def test_requests_are_counted_by_route_and_never_by_path(
    client: httpx.AsyncClient, requests: RequestStats
) -> None:
    for path in ("/api/v1/things", "/api/v1/things?limit=7", "/api/v1/things?limit=0", "/api/v1/no/such", "/secret"):
        await client.get(path)
    await client.request("BREW", "/api/v1/things")
    await client.get("/api/v1/broken")
    assert requests.answered == {
        ("GET", "/api/v1/things", 200): 2,
        ("GET", "/api/v1/things", 422): 1,
        ("GET", "(none)", 404): 2,
        ("other", "/api/v1/things", 405): 1,
        ("GET", "/api/v1/broken", 500): 1,
    }
    assert sum(requests.durations["/api/v1/things"].counts) == 4
    assert requests.under_way == 0
