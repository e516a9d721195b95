"""Stored objects at this server's own address: public ones, private ones by a signed URL, and uploads."""

import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from fairground.platform.http.cache_control import FOREVER, for_owner, matches_etag
from fairground.platform.storage.keys import Retention, content_type_of, etag_of, is_key, retention_of
from fairground.platform.storage.signed_urls import MEDIA_PATH, UPLOAD_PATH
from fairground.platform.storage.store import ObjectNotFound, Span, Store
from fairground.platform.storage.uploads import FORM_MAX_BYTES, UploadReceiver

# A file of a user that is opened directly is a document: nothing in it may run or load.
USER_CONTENT_CSP: Final = "default-src 'none'; sandbox"
_ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiable(Exception):
    """The requested range contains no byte of the object."""


def routes(store: Store, *, spool: Path) -> APIRouter:
    """Return the routes below /media.

    Args:
        spool: A folder on the disk, for files while they are received.
    """
    router = APIRouter(include_in_schema=False)
    receiver = UploadReceiver(store, spool=spool)

    @router.post(UPLOAD_PATH, max_body_size=FORM_MAX_BYTES)
    async def receive_upload(request: Request) -> Response:
        await receiver.receive(request.headers.get("content-type", ""), request.stream())
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.api_route(f"{MEDIA_PATH}/{{key:path}}", methods=["GET", "HEAD"])
    async def get_object(request: Request, key: str, expires: str = "", signature: str = "") -> Response:
        if not is_key(key):
            raise ObjectNotFound("The file does not exist.")
        if retention_of(key) is Retention.DERIVATIVE:
            cache_control = FOREVER
        else:
            seconds = store.signer.check_read(key, expires=expires, signature=signature)
            cache_control = for_owner(seconds=seconds)
        return await _respond(store, request, key, cache_control=cache_control)

    return router


async def _respond(store: Store, request: Request, key: str, *, cache_control: str) -> Response:
    etag = etag_of(key)
    headers = {"ETag": etag, "Cache-Control": cache_control, "Content-Security-Policy": USER_CONTENT_CSP}
    if matches_etag(request.headers.get("if-none-match", "").encode("latin-1"), etag=etag.encode()):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    found = await store.head(key)
    headers["Accept-Ranges"] = "bytes"
    is_whole = request.headers.get("if-range", etag) != etag
    try:
        span = read_range(None if is_whole else request.headers.get("range"), size_bytes=found.size_bytes)
    except RangeNotSatisfiable:
        headers = {"Content-Range": f"bytes */{found.size_bytes}"}
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    length, status = found.size_bytes, HTTPStatus.OK
    if span is not None and span.last is not None:
        length, status = span.last - span.first + 1, HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{found.size_bytes}"
    headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=content_type_of(key))
    return StreamingResponse(
        _stream(store, key, span), status_code=status, headers=headers, media_type=content_type_of(key)
    )


async def _stream(store: Store, key: str, span: Span | None) -> AsyncIterator[bytes]:
    async with store.read(key, span=span) as content:
        async for chunk in content.chunks:
            yield chunk


def read_range(header: str | None, *, size_bytes: int) -> Span | None:
    """Return the part that a Range header (RFC 9110 §14) asks for, within the object.

    None is all of it, as for several parts or a header that cannot be understood.

    Raises:
        RangeNotSatisfiable: The object ends before that part.
    """
    found = _ONE_RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    last = size_bytes - 1
    if not found[1]:
        length = int(found[2])
        if not length or not size_bytes:
            raise RangeNotSatisfiable
        return Span(max(0, size_bytes - length), last)
    span = Span(int(found[1]), min(int(found[2]), last) if found[2] else last)
    if found[2] and int(found[2]) < span.first:
        return None
    if span.first > last:
        raise RangeNotSatisfiable
    return span
