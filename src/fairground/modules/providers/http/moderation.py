"""Providers of any state for staff: search, suspension and hidden pictures. The service checks who may."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fairground.contracts.providers import ProfileInvalid, ProviderNotFound, ProviderStatus
from fairground.contracts.providers.staff import (
    PictureVisibilityConflict,
    ProviderPictureNotFound,
    StaffProvider,
    StaffProviderPage,
    StaffProviders,
    SuspensionConflict,
)
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid
from fairground.modules.providers.http.profiles import RejectionIn
from fairground.platform.http.identity import Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router

_PAGE_MAX: int = 100
_WORDS_MAX_LENGTH: int = 200


class ProviderSearchQuery(BaseModel):
    q: str = Field(
        default="",
        max_length=_WORDS_MAX_LENGTH,
        description="Beginnings of words of the name, or the id of a provider.",
    )
    status: ProviderStatus | None = None
    vertical: str | None = Field(default=None, max_length=80)
    limit: int = Field(default=20, ge=1, le=_PAGE_MAX)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


def moderation_routes(staff_providers: StaffProviders) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/providers")
    @refuses(CursorInvalid)
    async def search_all_providers(caller: Staff, query: Annotated[ProviderSearchQuery, Query()]) -> StaffProviderPage:
        """Search providers of any state, the newest first."""
        return await staff_providers.search_providers(
            staff_id=caller.user_id,
            words=query.q,
            status=query.status,
            vertical=query.vertical,
            cursor=query.cursor,
            limit=query.limit,
        )

    @router.get("/admin/providers/{provider_id}")
    @refuses(ProviderNotFound)
    async def get_provider_for_staff(caller: Staff, provider_id: UUID) -> StaffProvider:
        """See all of a provider: profile, contact, pictures, and the steps of its approval."""
        return await staff_providers.get_provider_for_staff(staff_id=caller.user_id, provider_id=provider_id)

    @router.post("/admin/providers/{provider_id}/suspend")
    @refuses(ProviderNotFound, ProfileInvalid, SuspensionConflict)
    async def suspend_provider(caller: Staff, provider_id: UUID, body: RejectionIn) -> StaffProvider:
        """Hide a provider and refuse new bookings. Bookings already made stay; the owner is mailed the reason."""
        return await staff_providers.suspend_provider(
            staff_id=caller.user_id, provider_id=provider_id, reason=body.reason
        )

    @router.post("/admin/providers/{provider_id}/restore")
    @refuses(ProviderNotFound, SuspensionConflict)
    async def restore_provider(caller: Staff, provider_id: UUID) -> StaffProvider:
        """End a suspension."""
        return await staff_providers.restore_provider(staff_id=caller.user_id, provider_id=provider_id)

    @router.post("/admin/providers/{provider_id}/pictures/{picture_id}/hide")
    @refuses(ProviderNotFound, ProfileInvalid, ProviderPictureNotFound, PictureVisibilityConflict)
    async def hide_picture(caller: Staff, provider_id: UUID, picture_id: UUID, body: RejectionIn) -> StaffProvider:
        """Hide a picture of the gallery, or the portrait, from all but its owner."""
        return await staff_providers.hide_picture(
            staff_id=caller.user_id, provider_id=provider_id, picture_id=picture_id, reason=body.reason
        )

    @router.post("/admin/providers/{provider_id}/pictures/{picture_id}/show")
    @refuses(ProviderNotFound, PictureVisibilityConflict)
    async def show_picture(caller: Staff, provider_id: UUID, picture_id: UUID) -> StaffProvider:
        """Show a hidden picture again."""
        return await staff_providers.show_picture(
            staff_id=caller.user_id, provider_id=provider_id, picture_id=picture_id
        )

    return router
