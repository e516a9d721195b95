"""Stored objects at this server's own address: public ones, those with a signed address, and uploads."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from fairground.platform.http.cache_control import FOREVER, for_owner
from fairground.platform.http.caching.conditional import is_known
from fairground.platform.storage.gate import MEDIA_PATH, UPLOAD_PATH
from fairground.platform.storage.keys import Retention, content_type_of, etag_of, is_key, retention_of
from fairground.platform.storage.ranges import Unsatisfiable, read_range
from fairground.platform.storage.receiving import FORM_MAX_BYTES, Receiver
from fairground.platform.storage.store import ObjectNotFound, Span, Store

# A file of a user that is opened by itself is a document: nothing in it may run or load.
USER_CONTENT_CSP: Final = "default-src 'none'; sandbox"


def routes(store: Store, *, spool: Path) -> APIRouter:
    """Return the routes below /media.

    Args:
        spool: A folder on the disk, for files that come in.
    """
    router = APIRouter(include_in_schema=False)
    receiver = Receiver(store, spool=spool)

    @router.post(UPLOAD_PATH, max_body_size=FORM_MAX_BYTES)
    async def take_upload(request: Request) -> Response:
        await receiver.receive(request.headers.get("content-type", ""), request.stream())
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.api_route(f"{MEDIA_PATH}/{{key:path}}", methods=["GET", "HEAD"])
    async def get_object(request: Request, key: str, expires: str = "", signature: str = "") -> Response:
        if not is_key(key):
            raise ObjectNotFound("There is no such object.")
        if retention_of(key) is Retention.DERIVATIVE:
            cache_control = FOREVER
        else:
            seconds = store.gate.check_read(key, expires=expires, signature=signature)
            cache_control = for_owner(seconds=seconds)
        return await _answer(store, request, key, cache_control=cache_control)

    return router


async def _answer(store: Store, request: Request, key: str, *, cache_control: str) -> Response:
    etag = etag_of(key)
    headers = {"ETag": etag, "Cache-Control": cache_control, "Content-Security-Policy": USER_CONTENT_CSP}
    if is_known(request.headers.get("if-none-match", "").encode("latin-1"), etag=etag.encode()):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    found = await store.head(key)
    headers["Accept-Ranges"] = "bytes"
    wanted = request.headers.get("range")
    if request.headers.get("if-range", etag) != etag:
        wanted = None
    try:
        span = read_range(wanted, size_bytes=found.size_bytes)
    except Unsatisfiable:
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
    async with store.read(key, span=span) as reading:
        async for chunk in reading.chunks:
            yield chunk
