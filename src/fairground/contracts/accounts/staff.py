"""Accounts as staff see and change them. Staff act on the accounts of users; on those of staff, only an admin does."""

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from fairground.contracts.accounts.users import AccountStatus, Role, Session, User
from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Forbidden, Invalid

SUSPENSION_REASON_MAX_LENGTH: Final = 1_000
SEARCH_MAX_LENGTH: Final = 200


class StaffAccount(User):
    """An account as staff see it."""

    phone: str | None
    suspended_at: datetime | None
    suspension_reason: str | None
    """For staff alone; the user is not shown it."""
    last_signed_in_at: datetime | None
    """None before the first sign-in; sign-ins of before this was recorded are not known."""


class StaffAccountDetail(StaffAccount):
    sessions: list[Session]
    """Live browsers and tokens, newest first."""


class StaffAccountPage(DTO):
    data: list[StaffAccount]
    next_cursor: str | None
    """None when nothing follows."""


class AccountFigures(DTO):
    """Numbers for the overview. Days are those of UTC."""

    created_today: int
    """At most 10,000 are counted."""


class NotPermitted(Forbidden):
    code = "accounts.not_permitted"
    hint = "Ask an admin, or use `fairground users` on the command line."


class AccountStatusConflict(Conflict):
    code = "accounts.status_conflict"


class SuspensionInvalid(Invalid):
    code = "accounts.suspension_invalid"


class StaffAccounts(Protocol):
    """`staff_id` is the member of staff who acts; None is the operator at the command line, who may do everything.

    Each method raises NotPermitted for an account that may not do this. Every change is in the operator log.
    """

    async def search_users(
        self,
        *,
        staff_id: UUID | None,
        words: str = "",
        role: Role | None = None,
        status: AccountStatus | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffAccountPage:
        """Return the newest accounts first.

        Args:
            words: Beginnings of words of the name or of the address; an account has them all.

        Raises:
            CursorInvalid
        """
        ...

    async def get_account(self, *, staff_id: UUID | None, user_id: UUID) -> StaffAccountDetail:
        """Raise UserNotFound when there is none."""
        ...

    async def suspend_user(self, *, staff_id: UUID | None, user_id: UUID, reason: str) -> StaffAccount:
        """End every session and token, and refuse sign-in. The provider's page is hidden; bookings stay.

        Raises:
            UserNotFound
            SuspensionInvalid: The reason is empty or too long.
            AccountStatusConflict: The account is suspended or closed already.
        """
        ...

    async def restore_user(self, *, staff_id: UUID | None, user_id: UUID) -> StaffAccount:
        """End a suspension; the provider's page is shown again.

        Raises:
            UserNotFound
            AccountStatusConflict: The account is not suspended.
        """
        ...

    async def end_sessions(self, *, staff_id: UUID | None, user_id: UUID) -> int:
        """End every session and token; return their number. Raise UserNotFound when there is no such user."""
        ...

    async def set_role(self, *, staff_id: UUID | None, user_id: UUID, role: Role) -> StaffAccount:
        """Give a role, for admins alone; sessions and tokens end, because their lifetime depends on it.

        Raises:
            UserNotFound
            AccountStatusConflict: The account is closed.
        """
        ...

    async def read_figures(self, *, staff_id: UUID | None) -> AccountFigures: ...
