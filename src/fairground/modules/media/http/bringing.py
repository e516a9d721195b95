"""How pictures are brought: by a form that goes to the store, or in one form without script."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from fairground.contracts.media import Picture, PictureState, UploadOffer
from fairground.modules.media.service.forms import FormIntake
from fairground.modules.media.service.pictures import PictureService
from fairground.platform.http.bodies import Body
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router
from fairground.platform.storage.uploads import FORM_MAX_BYTES

_TYPE_MAX_LENGTH = 100
_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Picture, "description": "Its sizes are being made."},
}


class UploadIn(Body):
    content_type: str = Field(max_length=_TYPE_MAX_LENGTH)
    alt: str = ""


class DescriptionIn(Body):
    alt: str


def routes(pictures: PictureService, forms: FormIntake) -> APIRouter:
    """Return the routes below /media."""
    # Without keys: a form is as good as a secret, and completing it again does nothing.
    router = api_router(tags=["media"], honours_idempotency_key=False)

    @router.post("/media/uploads", status_code=HTTPStatus.CREATED)
    async def offer_upload(upload: UploadIn, caller: SignedIn) -> UploadOffer:
        """Get a form with which a browser sends one picture, as JPEG, PNG, WebP or AVIF."""
        return await pictures.offer_upload(owner_id=caller.user_id, content_type=upload.content_type, alt=upload.alt)

    @router.post("/media/uploads/{picture_id}/complete", responses=_ACCEPTED)
    async def complete_upload(picture_id: UUID, caller: SignedIn, response: Response) -> Picture:
        """Say that the file was sent. 202 while its sizes are being made; again, and it says what is."""
        picture = await pictures.complete_upload(owner_id=caller.user_id, picture_id=picture_id)
        return _told(picture, response)

    @router.post("/media", max_body_size=FORM_MAX_BYTES, responses=_ACCEPTED, openapi_extra={"requestBody": _FORM})
    async def upload(request: Request, caller: SignedIn, response: Response) -> Picture:
        """Send a picture at once, as multipart/form-data: `alt` if there is one, and then `file`."""
        form = request.headers.get("content-type", "")
        picture = await forms.take_form(owner_id=caller.user_id, content_type=form, body=request.stream())
        return _told(picture, response)

    @router.get("/media/{picture_id}")
    async def get_picture(picture_id: UUID, caller: SignedIn) -> Picture:
        """Read how a picture of yours stands."""
        return await pictures.get_picture(owner_id=caller.user_id, picture_id=picture_id)

    @router.patch("/media/{picture_id}")
    async def describe_picture(picture_id: UUID, caller: SignedIn, body: DescriptionIn) -> Picture:
        """Say anew what is to be seen on a picture of yours."""
        return await pictures.describe_picture(owner_id=caller.user_id, picture_id=picture_id, alt=body.alt)

    @router.delete("/media/{picture_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete_picture(picture_id: UUID, caller: SignedIn) -> None:
        """Remove a picture of yours."""
        await pictures.delete_picture(owner_id=caller.user_id, picture_id=picture_id)

    return router


_FORM = {
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


def _told(picture: Picture, response: Response) -> Picture:
    if picture.state is PictureState.PROCESSING:
        response.status_code = HTTPStatus.ACCEPTED
    return picture
