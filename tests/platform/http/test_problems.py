"""Whatever goes wrong, the answer is a problem document with a stable code."""

import httpx
import pytest

from fairground.kernel import errors
from fairground.platform.http.problems import MEDIA_TYPE, STATUS_OF_KIND

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, "request.not_found"),
        ("/api/v1/things?limit=0", 422, "request.invalid"),
        ("/api/v1/things?limit=many", 422, "request.invalid"),
        ("/api/v1/limited", 429, "limit_exceeded"),
        ("/api/v1/broken", 500, "internal_error"),
        ("/api/v1/staff", 401, "identity.sign_in_needed"),
    ],
)
async def test_every_refusal_is_a_problem_document(
    client: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status
    assert "secret" not in answer.text


async def test_unknown_field_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/v1/things",
        json={"name": "a", "colour": "red"},
        headers={"Authorization": "Bearer 018f0000-0000-7000-8000-000000000001"},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.colour"


async def test_wrong_method_is_refused_with_the_allowed_ones(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/api/v1/things")
    assert answer.status_code == 405
    assert answer.json()["code"] == "request.method_not_allowed"
    assert "allow" in answer.headers


async def test_exceeded_limit_has_retry_after(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/limited")
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["retry_after_seconds"] == 7


async def test_too_large_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/things", content=b"x" * 1_100_000)
    assert answer.status_code in {413, 401}


def test_every_kind_of_domain_error_has_a_status() -> None:
    assert set(STATUS_OF_KIND) == set(errors.DomainError.__subclasses__())
