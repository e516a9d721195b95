"""Checks of request heads: the rules of RFC 9112 that the parser does not enforce."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from fairground.platform.http.problems import ProblemResponse, plain_problem

HEAD_MAX_BYTES: Final = 64 * 1024  # browsers send a tenth of it
# RFC 3986 §3.2.2 without userinfo, percent-encoding and sub-delimiters, which no host name of ours has.
_AUTHORITY: Final = re.compile(r"(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?", re.IGNORECASE)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_REQUEST_LINE_BYTES: Final = len(b"  HTTP/1.1\r\n")
_FIELD_LINE_BYTES: Final = len(b": \r\n")
_EMPTY_LINE_BYTES: Final = len(b"\r\n")

Fields = Sequence[tuple[bytes, bytes]]


def host_of(authority: str) -> str | None:
    """Return the host of a Host field in lower case, an IPv6 address in its brackets; None if it is malformed."""
    match = _AUTHORITY.fullmatch(authority)
    return match["host"].lower() if match is not None else None


def authority_of(target: bytes) -> bytes | None:
    """Return the authority of a request-target in absolute form (RFC 9112 §3.2.2); None for another form."""
    match = _ABSOLUTE.match(target)
    return match[1] if match is not None else None


def size_of(method: bytes, target: bytes, fields: Fields) -> int:
    """Return the size of a head in bytes, without the white space that a client may add."""
    lines = sum(len(name) + len(value) + _FIELD_LINE_BYTES for name, value in fields)
    return len(method) + len(target) + _REQUEST_LINE_BYTES + lines + _EMPTY_LINE_BYTES


def refuse_head(*, target: bytes, version: str, fields: Fields, is_upgrade: bool) -> ProblemResponse | None:
    """Return the refusal of a head that the parser has accepted; None if the request can be answered.

    Args:
        fields: Names in lower case.
        is_upgrade: The client wants to leave HTTP, so the parser does not read a body.
    """
    if version not in _VERSIONS:
        return _version_unknown(version)
    names = [name for name, _ in fields]
    hosts = names.count(b"host")
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        return malformed(f"A request must have exactly one Host header (RFC 9112, section 3.2); this one has {hosts}.")
    if target[:1] != b"/" and authority_of(target) is None:
        return malformed("The request target must be a path or an http URL.")
    has_coding = b"transfer-encoding" in names
    if has_coding and version == "1.0":
        return malformed("HTTP/1.0 has no Transfer-Encoding, so the end of the body is unknown.")
    if is_upgrade and (has_coding or b"content-length" in names):
        return malformed("A request with Upgrade cannot have a body here.")
    return _refuse_coding(fields) if has_coding else None


def _refuse_coding(fields: Fields) -> ProblemResponse | None:
    """Refuse every transfer coding but chunked: nothing here decodes another one (RFC 9112 §6.1 and §6.3)."""
    value = b",".join(value for name, value in fields if name == b"transfer-encoding")
    codings = [coding.strip().lower() for coding in value.split(b",")]
    if codings == [b"chunked"]:
        return None
    if codings[-1] != b"chunked":
        return malformed("The last Transfer-Encoding is not chunked, so the end of the body is unknown.")
    return plain_problem(
        HTTPStatus.NOT_IMPLEMENTED,
        code="request.transfer_coding_unknown",
        detail=f"Transfer-Encoding is {value.decode('latin-1')[:100]!r}.",
        hint="Send the body with Content-Length, or with Transfer-Encoding: chunked alone.",
    )


def _version_unknown(version: str) -> ProblemResponse:
    return plain_problem(
        HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
        code="request.version_not_supported",
        detail=f"This server does not speak HTTP/{version}.",
        hint="Send HTTP/1.1.",
    )


def malformed(reason: str) -> ProblemResponse:
    return plain_problem(
        HTTPStatus.BAD_REQUEST,
        code="request.malformed",
        detail=reason,
        hint="Send requests as RFC 9112 defines them.",
    )


def head_too_large() -> ProblemResponse:
    return plain_problem(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        code="request.head_too_large",
        detail=f"Address and headers are larger than {HEAD_MAX_BYTES // 1024} KiB.",
        hint="Send fewer or shorter headers, such as cookies.",
    )
