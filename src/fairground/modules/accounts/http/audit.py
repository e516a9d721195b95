"""The audit trail over HTTP, for staff."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fairground.contracts.audit import AuditRecordPage, AuditSubjectInvalid, AuditTrail
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid
from fairground.platform.http.identity import Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


class AuditQuery(BaseModel):
    action: str | None = Field(default=None, max_length=80, description="Such as `providers.suspend`.")
    subject_kind: str | None = Field(default=None, max_length=40, description="Such as `provider`, with `subject_id`.")
    subject_id: UUID | None = None
    actor_id: UUID | None = Field(default=None, description="The account that acted.")
    limit: int = Field(default=50, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


def audit_routes(trail: AuditTrail) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/audit")
    @refuses(AuditSubjectInvalid, CursorInvalid)
    async def list_audit_records(caller: Staff, query: Annotated[AuditQuery, Query()]) -> AuditRecordPage:
        """List what staff and commands have changed by hand, the latest first."""
        return await trail.list_records(staff_id=caller.user_id, **query.model_dump())

    return router
