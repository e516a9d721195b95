"""What an operator is told of a store that browsers cannot use."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from fairground.platform.findings import Verdict
from fairground.platform.storage.checking import check_origin

ORIGIN = "https://fair.example"


@pytest.mark.parametrize(
    ("origins", "methods", "verdict"),
    [
        ([ORIGIN], ["POST"], Verdict.OK),
        (["*"], ["POST"], Verdict.OK),
        (["https://other.example"], ["POST"], Verdict.WRONG),
        ([ORIGIN], ["GET"], Verdict.WRONG),
        ([], [], Verdict.WRONG),
    ],
)
async def test_a_bucket_must_let_pages_of_ours_send_files(
    origins: list[str], methods: list[str], verdict: Verdict
) -> None:
    bucket = CORSMiddleware(Starlette(), allow_origins=origins, allow_methods=methods)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bucket), base_url="http://s3.example") as http:
        found = await check_origin(http, "/bucket", origin=ORIGIN)
    assert found.verdict is verdict
    assert (f'AllowedOrigins ["{ORIGIN}"]' in found.told) == (verdict is Verdict.WRONG)


async def test_a_bucket_that_does_not_answer_lets_nobody_in() -> None:
    async with httpx.AsyncClient() as http:
        assert (await check_origin(http, "http://127.0.0.1:1/", origin=ORIGIN)).verdict is Verdict.WRONG
