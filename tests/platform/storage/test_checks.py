"""The check of a bucket that browsers send files to."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from fairground.platform.module import CheckStatus
from fairground.platform.storage.checks import check_origin

ORIGIN = "https://fair.example"


@pytest.mark.parametrize(
    ("origins", "methods", "status"),
    [
        ([ORIGIN], ["POST"], CheckStatus.OK),
        (["*"], ["POST"], CheckStatus.OK),
        (["https://other.example"], ["POST"], CheckStatus.FAILED),
        ([ORIGIN], ["GET"], CheckStatus.FAILED),
        ([], [], CheckStatus.FAILED),
    ],
)
async def test_bucket_without_cors_rule_for_our_origin_fails_the_check(
    origins: list[str], methods: list[str], status: CheckStatus
) -> None:
    bucket = CORSMiddleware(Starlette(), allow_origins=origins, allow_methods=methods)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bucket), base_url="http://s3.example") as http:
        found = await check_origin(http, "/bucket", origin=ORIGIN)
    assert found.status is status
    assert (f'AllowedOrigins ["{ORIGIN}"]' in found.text) == (status is CheckStatus.FAILED)


async def test_bucket_that_does_not_answer_fails_the_check() -> None:
    async with httpx.AsyncClient() as http:
        assert (await check_origin(http, "http://127.0.0.1:1/", origin=ORIGIN)).status is CheckStatus.FAILED
