"""Routes below /media: upload pictures by a form of the store or by one to this server, and keep one's own."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from fairground.contracts.media import (
    AltInvalid,
    Picture,
    PictureForms,
    PictureNotFound,
    Pictures,
    PictureState,
    TooManyOpenUploads,
    TooManyUploads,
    UploadOffer,
)
from fairground.kernel.inputs import Input
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.platform.images.refusals import REFUSALS, PictureTypeRefused
from fairground.platform.storage.signed_urls import UploadMissing
from fairground.platform.storage.store import StorageUnavailable
from fairground.platform.storage.uploads import FORM_MAX_BYTES

_TYPE_MAX_LENGTH: Final = 100
_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Picture, "description": "Its sizes are being made."},
}

_FORM: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"alt": {"type": "string"}, "file": {"type": "string", "format": "binary"}},
            }
        }
    },
}


class UploadIn(Input):
    content_type: str = Field(max_length=_TYPE_MAX_LENGTH)
    alt: str = ""


class DescriptionIn(Input):
    alt: str


def routes(pictures: Pictures, forms: PictureForms) -> APIRouter:
    # No idempotency keys: a form is as good as a secret, which is not stored, and completing twice does nothing.
    router = api_router(tags=["media"], honours_idempotency_key=False)

    @router.post("/media/uploads", status_code=HTTPStatus.CREATED)
    @refuses(AltInvalid, PictureTypeRefused, TooManyUploads, TooManyOpenUploads, StorageUnavailable)
    async def offer_upload(upload: UploadIn, caller: SignedIn) -> UploadOffer:
        """Get an upload form for one picture (JPEG, PNG, WebP or AVIF)."""
        return await pictures.offer_upload(owner_id=caller.user_id, content_type=upload.content_type, alt=upload.alt)

    @router.post("/media/uploads/{picture_id}/complete", responses=_ACCEPTED)
    @refuses(PictureNotFound, UploadMissing, *REFUSALS, StorageUnavailable)
    async def complete_upload(picture_id: UUID, caller: SignedIn, response: Response) -> Picture:
        """Complete an upload. Returns 202 while the picture is processed; repeat to get the result."""
        picture = await pictures.complete_upload(owner_id=caller.user_id, picture_id=picture_id)
        return _accepted(picture, response)

    @router.post("/media", max_body_size=FORM_MAX_BYTES, responses=_ACCEPTED, openapi_extra={"requestBody": _FORM})
    @refuses(AltInvalid, TooManyUploads, TooManyOpenUploads, *REFUSALS, StorageUnavailable)
    async def upload(request: Request, caller: SignedIn, response: Response) -> Picture:
        """Upload a picture directly, as multipart/form-data: optional `alt`, then `file`."""
        form = request.headers.get("content-type", "")
        picture = await forms.take_form(owner_id=caller.user_id, content_type=form, body=request.stream())
        return _accepted(picture, response)

    @router.get("/media/{picture_id}")
    @refuses(PictureNotFound)
    async def get_picture(picture_id: UUID, caller: SignedIn) -> Picture:
        """Get one of your pictures."""
        return await pictures.get_picture(owner_id=caller.user_id, picture_id=picture_id)

    @router.patch("/media/{picture_id}")
    @refuses(PictureNotFound, AltInvalid)
    async def describe_picture(picture_id: UUID, caller: SignedIn, body: DescriptionIn) -> Picture:
        """Update a picture's alt text."""
        return await pictures.describe_picture(owner_id=caller.user_id, picture_id=picture_id, alt=body.alt)

    @router.delete("/media/{picture_id}", status_code=HTTPStatus.NO_CONTENT)
    @refuses(PictureNotFound)
    async def delete_picture(picture_id: UUID, caller: SignedIn) -> None:
        """Delete one of your pictures."""
        await pictures.delete_picture(owner_id=caller.user_id, picture_id=picture_id)

    return router


def _accepted(picture: Picture, response: Response) -> Picture:
    """Answer 202 while sizes are being made."""
    if picture.state is PictureState.PROCESSING:
        response.status_code = HTTPStatus.ACCEPTED
    return picture
