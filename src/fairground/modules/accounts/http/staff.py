"""Accounts over HTTP for staff."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from fairground.contracts.accounts import (
    SEARCH_MAX_LENGTH,
    SUSPENSION_REASON_MAX_LENGTH,
    AccountStatus,
    AccountStatusConflict,
    NotPermitted,
    Role,
    StaffAccount,
    StaffAccountDetail,
    StaffAccountPage,
    StaffAccounts,
    SuspensionInvalid,
    UserNotFound,
)
from fairground.contracts.accounts.staff import AccountFigures
from fairground.contracts.dto import DTO
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid, Input, text_field
from fairground.platform.http.identity import Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


class AccountSearchQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    words: str = Field(
        "", max_length=SEARCH_MAX_LENGTH, description="Beginnings of words of the name or of the address."
    )
    role: Role | None = None
    status: AccountStatus | None = None
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


class SuspensionIn(Input):
    reason: str = text_field(most=SUSPENSION_REASON_MAX_LENGTH, description="For staff alone.")


class RoleIn(Input):
    role: Role


class EndedSessions(DTO):
    sessions: int
    """How many browsers and tokens were signed out."""


def staff_routes(staff: StaffAccounts) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/accounts")
    @refuses(CursorInvalid, NotPermitted)
    async def search_accounts(caller: Staff, query: Annotated[AccountSearchQuery, Query()]) -> StaffAccountPage:
        """Search accounts, the newest first."""
        return await staff.search_users(staff_id=caller.user_id, **query.model_dump())

    @router.get("/admin/accounts/figures")
    @refuses(NotPermitted)
    async def read_account_figures(caller: Staff) -> AccountFigures:
        """Return how many accounts were created today."""
        return await staff.read_figures(staff_id=caller.user_id)

    @router.get("/admin/accounts/{user_id}")
    @refuses(NotPermitted, UserNotFound)
    async def get_account(user_id: UUID, caller: Staff) -> StaffAccountDetail:
        """Return an account with its live sessions."""
        return await staff.get_account(staff_id=caller.user_id, user_id=user_id)

    @router.post("/admin/accounts/{user_id}/suspend")
    @refuses(AccountStatusConflict, NotPermitted, SuspensionInvalid, UserNotFound)
    async def suspend_account(user_id: UUID, body: SuspensionIn, caller: Staff) -> StaffAccount:
        """End the sessions of an account and refuse its sign-in; its provider's page is hidden, bookings stay."""
        return await staff.suspend_user(staff_id=caller.user_id, user_id=user_id, reason=body.reason)

    @router.post("/admin/accounts/{user_id}/restore")
    @refuses(AccountStatusConflict, NotPermitted, UserNotFound)
    async def restore_account(user_id: UUID, caller: Staff) -> StaffAccount:
        """End a suspension."""
        return await staff.restore_user(staff_id=caller.user_id, user_id=user_id)

    @router.post("/admin/accounts/{user_id}/end-sessions")
    @refuses(NotPermitted, UserNotFound)
    async def end_account_sessions(user_id: UUID, caller: Staff) -> EndedSessions:
        """Sign an account out everywhere; its API tokens end too."""
        return EndedSessions(sessions=await staff.end_sessions(staff_id=caller.user_id, user_id=user_id))

    @router.put("/admin/accounts/{user_id}/role")
    @refuses(AccountStatusConflict, NotPermitted, UserNotFound)
    async def set_account_role(user_id: UUID, body: RoleIn, caller: Staff) -> StaffAccount:
        """Give a role, for admins alone; the sessions of the account end."""
        return await staff.set_role(staff_id=caller.user_id, user_id=user_id, role=body.role)

    return router
