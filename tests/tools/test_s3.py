"""The S3 server of the tests refuses what a real one would; that ours is let in, the tests of the store show."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fairground.platform.storage.s3.signing import EMPTY_SHA256, Credentials, RequestSigner
from tools.guardian import Server
from tools.s3 import BUCKET, KEY_ID, SECRET


@pytest.fixture
def url(s3_server: Server) -> str:
    return f"{s3_server.url.partition('endpoint=')[2]}/{BUCKET}"


def code_of(answer: httpx.Response) -> str:
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


def signed(url: str, *, at: datetime, sha256: str = EMPTY_SHA256) -> dict[str, str]:
    signer = RequestSigner(Credentials(KEY_ID, SECRET), region="us-east-1")
    headers = {"host": httpx.URL(url).netloc.decode()}
    return signer.headers("GET", f"/{BUCKET}", query={}, headers=headers, content_sha256=sha256, at=at)


def test_only_signed_requests_are_let_in(url: str) -> None:
    now = datetime.now(UTC)
    headers = signed(url, at=now)
    assert httpx.get(url, headers=headers).status_code == 200
    changed = {**headers, "authorization": headers["authorization"][:-1] + "x"}
    assert code_of(httpx.get(url)) == "AccessDenied"
    assert code_of(httpx.get(url, headers=changed)) == "SignatureDoesNotMatch"
    assert code_of(httpx.put(url, headers=headers)) == "SignatureDoesNotMatch"
    assert code_of(httpx.get(f"{url}?list-type=2", headers=headers)) == "SignatureDoesNotMatch"


def test_an_old_request_and_another_body_are_refused(url: str) -> None:
    now = datetime.now(UTC)
    assert code_of(httpx.get(url, headers=signed(url, at=now - timedelta(minutes=20)))) == "RequestTimeTooSkewed"
    assert code_of(httpx.get(url, headers=signed(url, at=now, sha256="0" * 64))) == "XAmzContentSHA256Mismatch"


def test_a_form_without_a_policy_is_refused(url: str) -> None:
    answer = httpx.post(url, data={"key": "any.png"}, files={"file": b"x"})
    assert code_of(answer) == "InvalidAccessKeyId"
