"""What an operator is told of a store that browsers cannot use."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from fairground.platform.checks import CheckStatus
from fairground.platform.storage.checking import check_origin

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
async def test_a_bucket_must_let_pages_of_ours_send_files(
    origins: list[str], methods: list[str], status: CheckStatus
) -> None:
    bucket = CORSMiddleware(Starlette(), allow_origins=origins, allow_methods=methods)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bucket), base_url="http://s3.example") as http:
        found = await check_origin(http, "/bucket", origin=ORIGIN)
    assert found.status is status
    assert (f'AllowedOrigins ["{ORIGIN}"]' in found.text) == (status is CheckStatus.FAILED)


async def test_a_bucket_that_does_not_answer_lets_nobody_in() -> None:
    async with httpx.AsyncClient() as http:
        assert (await check_origin(http, "http://127.0.0.1:1/", origin=ORIGIN)).status is CheckStatus.FAILED
