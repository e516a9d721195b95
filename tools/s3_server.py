"""The S3 server of the tests, run as a script: moto speaks the protocol, and what it wrongly accepts is refused here.

moto looks at no signature and at no upload policy, and decides on conditional writes without a lock. Signatures are
computed with botocore, whose authors did not read ours.
"""

import base64
import hashlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header
from werkzeug.serving import run_simple

REGION: Final = "us-east-1"
PAGES_ORIGIN: Final = "http://127.0.0.1:8000"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SKEW: Final = timedelta(minutes=15)
_SLOW_CLASSES: Final = frozenset({"STANDARD_IA", "ONEZONE_IA"})
_INFREQUENT_CLASSES: Final = frozenset({"STANDARD_IA", "ONEZONE_IA"})
_UNNAMED_FIELDS: Final = frozenset({"policy", "x-amz-signature"})

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Refusal(Exception):
    def __init__(self, code: str, *, status: str = "403 Forbidden") -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class StrictS3:
    """Passes to moto what a real server would accept, one request at a time."""

    def __init__(self, bucket: str, credentials: Credentials) -> None:
        self._check = Checker(credentials)
        # Otherwise pages of every origin might send files.
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
        self._moto = create_backend_app("s3")
        self._turn = threading.Lock()
        moto = s3_backends["123456789012"]["aws"]
        moto.create_bucket(bucket, REGION)
        moto.put_bucket_cors(bucket, [{"AllowedOrigin": PAGES_ORIGIN, "AllowedMethod": "POST"}])

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            self._check(environ, body)
            if environ["REQUEST_METHOD"] == "PUT" and environ["QUERY_STRING"] in {"lifecycle", "lifecycle="}:
                _check_lifecycle(environ, body)
        except Refusal as refusal:
            start_response(refusal.status, [("Content-Type", "application/xml")])
            return (
                [] if environ["REQUEST_METHOD"] == "HEAD" else [f"<Error><Code>{refusal.code}</Code></Error>".encode()]
            )
        environ["wsgi.input"] = io.BytesIO(body)
        with self._turn:
            answered: Iterable[bytes] = list(self._moto(environ, start_response))
        return answered


class Checker:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, environ: Environ, body: bytes) -> None:
        uri = urlsplit(environ["RAW_URI"])
        query = dict(parse_qsl(uri.query))
        if "HTTP_AUTHORIZATION" in environ:
            self._check_headers(environ, body)
        elif "X-Amz-Signature" in query:
            self._check_address(environ, query)
        elif environ["REQUEST_METHOD"] == "POST":
            self._check_form(environ, body)
        elif environ["REQUEST_METHOD"] != "OPTIONS":
            raise Refusal("AccessDenied")

    def _check_headers(self, environ: Environ, body: bytes) -> None:
        _, _, words = environ["HTTP_AUTHORIZATION"].partition(" ")
        parameters = dict(word.strip().split("=", 1) for word in words.split(","))
        names = parameters["SignedHeaders"].split(";")
        headers = {name: environ[_variable_of(name)] for name in names}
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= headers.keys():
            raise Refusal("AccessDenied")
        if abs(_now() - _instant(headers["x-amz-date"])) > _SKEW:
            raise Refusal("RequestTimeTooSkewed")
        if headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            raise Refusal("XAmzContentSHA256Mismatch", status="400 Bad Request")
        auth = S3SigV4Auth(self._known(parameters["Credential"]), "s3", REGION)
        _check_signature(auth, environ, headers, stamp=headers["x-amz-date"], signature=parameters["Signature"])

    def _check_address(self, environ: Environ, query: Mapping[str, str]) -> None:
        began_at = _instant(query["X-Amz-Date"])
        if not began_at - _SKEW <= _now() < began_at + timedelta(seconds=int(query["X-Amz-Expires"])):
            raise Refusal("AccessDenied")
        headers = {"host": environ["HTTP_HOST"]}
        auth = S3SigV4QueryAuth(self._known(query["X-Amz-Credential"]), "s3", REGION)
        signature = query["X-Amz-Signature"]
        environ["RAW_URI"] = environ["RAW_URI"].replace(f"&X-Amz-Signature={signature}", "")
        _check_signature(auth, environ, headers, stamp=query["X-Amz-Date"], signature=signature)

    def _check_form(self, environ: Environ, body: bytes) -> None:
        kind, options = parse_options_header(environ["CONTENT_TYPE"])
        _, form, files = FormDataParser().parse(io.BytesIO(body), kind, len(body), options)
        fields = {name: form[name] for name in form}
        request = AWSRequest(method="POST", url="http://unused")
        request.context["timestamp"] = fields.get("x-amz-date", "")
        auth = S3SigV4Auth(self._known(fields.get("x-amz-credential", "")), "s3", REGION)
        if fields["x-amz-signature"] != auth.signature(fields["policy"], request):
            raise Refusal("SignatureDoesNotMatch")
        policy = json.loads(base64.b64decode(fields["policy"]))
        if _now() >= datetime.fromisoformat(policy["expiration"]):
            raise Refusal("AccessDenied")
        bucket = environ["PATH_INFO"].strip("/")
        _check_conditions(policy["conditions"], {**fields, "bucket": bucket}, size=len(files["file"].read()))

    def _known(self, credential: str) -> Credentials:
        key_id, _, scope = credential.partition("/")
        if key_id != self._credentials.access_key:
            raise Refusal("InvalidAccessKeyId")
        if scope.split("/")[1:] != [REGION, "s3", "aws4_request"]:
            raise Refusal("AuthorizationHeaderMalformed", status="400 Bad Request")
        return self._credentials


def _check_signature(auth: Any, environ: Environ, headers: Mapping[str, str], *, stamp: str, signature: str) -> None:
    url = f"http://{environ['HTTP_HOST']}{environ['RAW_URI']}"
    request = AWSRequest(method=environ["REQUEST_METHOD"], url=url, headers=headers)
    request.context["timestamp"] = stamp
    if signature != auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request):
        raise Refusal("SignatureDoesNotMatch")


def _check_lifecycle(environ: Environ, body: bytes) -> None:
    """Refuse what Amazon refuses and moto takes."""
    # A checksum of the newer kind is for the client of the tests; what this program sends must suit older servers.
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    if not any(name.startswith("HTTP_X_AMZ_CHECKSUM_") for name in environ) and environ.get("HTTP_CONTENT_MD5") != md5:
        raise Refusal("InvalidRequest", status="400 Bad Request")
    rules = ET.fromstring(body).findall("{*}Rule")  # noqa: S314 - from a test
    if len({rule.find("{*}Prefix") is None for rule in rules}) > 1:  # the older form of rules and the newer
        raise Refusal("InvalidRequest", status="400 Bad Request")
    for transition in (each for rule in rules for each in rule.iterfind("{*}Transition")):
        days = int(transition.findtext("{*}Days") or 30)
        if transition.findtext("{*}StorageClass") in _INFREQUENT_CLASSES and days < 30:  # noqa: PLR2004 - Amazon's
            raise Refusal("InvalidArgument", status="400 Bad Request")


def _check_conditions(conditions: list[Any], fields: dict[str, str], *, size: int) -> None:
    named = set()
    for condition in conditions:
        if isinstance(condition, dict):
            [(name, value)] = condition.items()
            named.add(name)
            if fields.get(name) != value:
                raise Refusal("AccessDenied")
        elif condition[0] == "content-length-range" and not condition[1] <= size <= condition[2]:
            raise Refusal("EntityTooLarge" if size > condition[2] else "EntityTooSmall", status="400 Bad Request")
    if fields.keys() - named - _UNNAMED_FIELDS:
        raise Refusal("AccessDenied")


def _variable_of(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return variable if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{variable}"


def _instant(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    port, the_bucket, key_id, secret = sys.argv[1:]
    run_simple("127.0.0.1", int(port), StrictS3(the_bucket, Credentials(key_id, secret)), threaded=True)
