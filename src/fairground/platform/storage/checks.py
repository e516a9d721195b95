"""Checks of a store: each of its operations is tried once, with objects that are removed afterwards."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import httpx

from fairground.kernel.errors import Unavailable
from fairground.kernel.ids import uuid7
from fairground.platform.module import CheckResult, CheckStatus
from fairground.platform.storage.keys import Retention, new_upload_key
from fairground.platform.storage.signed_urls import UploadForm, public_url
from fairground.platform.storage.store import ObjectNotFound, Span, Store

_CONTENT: Final = b"written and read by fairground storage check"
_TYPE: Final = "image/png"
_LIFETIME: Final = timedelta(minutes=5)
_TIMEOUT_SECONDS: Final = 10


async def check_store(store: Store, *, cdn_url: str, origin: str) -> list[CheckResult]:
    """Try each operation once. A store that cannot be reached is the last result.

    Args:
        origin: Of the pages from which browsers send files, such as https://fair.example.
    """
    results: list[CheckResult] = []
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as http:
        try:
            async for result in _try_all(store, http, cdn_url=cdn_url, origin=origin):
                results.append(result)  # noqa: PERF401 - results before a failure are returned too
        except Unavailable as error:
            results.append(CheckResult(CheckStatus.FAILED, f"{error.detail} {_cause(error)}".strip()))
    return results


def _cause(error: Unavailable) -> str:
    cause = error.__cause__
    return f"({cause.filename})" if isinstance(cause, OSError) and cause.filename else str(cause or "")


async def _try_all(store: Store, http: httpx.AsyncClient, *, cdn_url: str, origin: str) -> AsyncIterator[CheckResult]:
    key = f"{Retention.DERIVATIVE}/check/{uuid7()}.png"
    try:
        yield await _check_writing(store, key)
        yield await _check_reading(store, key)
        yield await _check_signed_address(store, http, key)
        if cdn_url:
            yield await _check_public_address(http, public_url(key, cdn_url=cdn_url))
    finally:
        await store.delete(key)
    async for result in _check_uploads(store, http, origin=origin):
        yield result
    yield await _check_removal(store, key)


async def _check_writing(store: Store, key: str) -> CheckResult:
    await store.put(key, _CONTENT)
    if await store.put(key, _CONTENT):
        return CheckResult(
            CheckStatus.WARNING, "written, but the store lets a second writer overwrite an existing object"
        )
    return CheckResult(CheckStatus.OK, "written, and a second write is refused")


async def _check_reading(store: Store, key: str) -> CheckResult:
    async with store.read(key, span=Span(8, 10)) as content:
        part = b"".join([chunk async for chunk in content.chunks])
    if part != _CONTENT[8:11]:
        return CheckResult(CheckStatus.FAILED, "an object could not be read in parts")
    listed = [stored.key async for stored in store.list_objects(Retention.DERIVATIVE) if stored.key == key]
    if not listed:
        return CheckResult(CheckStatus.FAILED, "a new object is missing from the list")
    return CheckResult(CheckStatus.OK, "read whole and in parts, and listed")


async def _check_signed_address(store: Store, http: httpx.AsyncClient, key: str) -> CheckResult:
    url = store.sign_read(key, lifetime=_LIFETIME)
    if url.startswith("/"):
        return CheckResult(CheckStatus.OK, "signed URLs are served by this server")
    answer = await _get(http, url)
    if answer != "200":
        return CheckResult(CheckStatus.FAILED, f"a signed URL was answered with {answer}")
    return CheckResult(CheckStatus.OK, "signed URLs are served by the store")


async def _check_public_address(http: httpx.AsyncClient, url: str) -> CheckResult:
    answer = await _get(http, url)
    if answer != "200":
        return CheckResult(
            CheckStatus.FAILED, f"FAIRGROUND_STORAGE_CDN_URL does not serve the stored files: {url}: {answer}"
        )
    return CheckResult(CheckStatus.OK, "FAIRGROUND_STORAGE_CDN_URL serves the stored files")


async def _check_uploads(store: Store, http: httpx.AsyncClient, *, origin: str) -> AsyncIterator[CheckResult]:
    form = store.offer_upload(new_upload_key(content_type=_TYPE), max_bytes=len(_CONTENT), lifetime=_LIFETIME)
    if form.url.startswith("/"):
        yield CheckResult(CheckStatus.OK, "uploads go through this server")
        return
    try:
        too_long = await _post(http, form, _CONTENT + b"!")
        if too_long.startswith("2"):
            yield CheckResult(
                CheckStatus.WARNING, "the store accepts uploads over the limit; they are checked again after the upload"
            )
        answer = await _post(http, form, _CONTENT)
        if await _is_there(store, form.key):
            yield CheckResult(CheckStatus.OK, "browsers can upload directly to the store")
            yield await check_origin(http, form.url, origin=origin)
        else:
            yield CheckResult(
                CheckStatus.FAILED,
                f"the store accepts no POST uploads ({answer}); set FAIRGROUND_STORAGE_TAKES_DIRECT_UPLOADS=false",
            )
    finally:
        await store.delete(form.key)


async def check_origin(http: httpx.AsyncClient, url: str, *, origin: str) -> CheckResult:
    """Send the preflight request of a browser whose page uploads a file and shows its progress."""
    asked = {"origin": origin, "access-control-request-method": "POST"}
    try:
        answer = await http.options(url, headers=asked)
        is_allowed = answer.is_success and answer.headers.get("access-control-allow-origin") in {"*", origin}
    except httpx.HTTPError:
        is_allowed = False
    if is_allowed:
        return CheckResult(CheckStatus.OK, f"pages of {origin} may upload to the store")
    return CheckResult(
        CheckStatus.FAILED,
        f"the store does not allow uploads from {origin}: add a CORS rule to the bucket with AllowedOrigins"
        f' ["{origin}"] and AllowedMethods ["POST"], or set FAIRGROUND_STORAGE_TAKES_DIRECT_UPLOADS=false',
    )


async def _check_removal(store: Store, key: str) -> CheckResult:
    if await _is_there(store, key):
        return CheckResult(CheckStatus.FAILED, "a deleted object is still there")
    return CheckResult(CheckStatus.OK, "deleted")


async def _is_there(store: Store, key: str) -> bool:
    try:
        await store.head(key)
    except ObjectNotFound:
        return False
    return True


async def _get(http: httpx.AsyncClient, url: str) -> str:
    """Return the status of the answer, or what went wrong."""
    try:
        return str((await http.get(url)).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__


async def _post(http: httpx.AsyncClient, form: UploadForm, content: bytes) -> str:
    """Return the status of the answer, or what went wrong."""
    try:
        return str((await http.post(form.url, data=dict(form.fields), files={"file": content})).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__
